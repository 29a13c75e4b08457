// Package seal keeps secrets that must be read back, encrypted with the operator's master keys. Begin with Parse.
package seal
