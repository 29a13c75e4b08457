package factor

// Step is the time step to which a code belongs, or 0.
func (s TOTPs) Step(row *TOTP, code string) (int64, error) { return s.step(row, code) }
