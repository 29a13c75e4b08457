package authorize

// Forget drops fosite's view of the request, which is made anew each time.
func (a *Request) Forget() { a.accepted = nil }

// MaxAccesses is how many apps are listed.
const MaxAccesses = maxAccesses
