package commands

// What the exit code of a command tells.
const (
	codeFailed   = 1
	codeUsage    = 2
	codeNotFound = 3
	codeConflict = 4
)

// Who signs in to what wicket dev runs.
const (
	devUsername = "demo"
	devEmail    = "demo@example.com"
	devPassword = "open the wicket"
	devClient   = "daybook"
)
