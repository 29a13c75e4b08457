// Package structure holds the code to its design: its tests compare imports, sizes and lines with what the design
// allows.
package structure
