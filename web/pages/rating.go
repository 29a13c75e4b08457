package pages

// Rating says how hard a password is to guess.
type Rating struct {
	Score int // 0 to 4
}

// Bars are four, and so many of them filled as the password is good; the first always.
func (r Rating) Bars() [4]bool {
	var bars [4]bool
	for i := range bars {
		bars[i] = i < max(1, r.Score)
	}
	return bars
}

// Words says the same.
func (r Rating) Words() string {
	return [...]string{"guessed at once", "guessed soon", "fair", "good", "very good"}[min(max(r.Score, 0), 4)]
}

// Weak tells whether the password is none to keep.
func (r Rating) Weak() bool { return r.Score < 2 }
