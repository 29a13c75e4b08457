// Package password knows what a good password is and how its hash is made and compared: argon2id, and what other
// systems have left behind. It knows no database. Begin with Hasher.
package password
