// Package structure holds the code to its design: its tests compare imports, sizes and lines with what the design
// allows, and the tests that docs/security.md names with those that there are.
package structure
