// Package storage answers one question: where is it kept?
//
// It opens the database (SQLite or PostgreSQL), runs transactions and migrations, tells errors apart, keeps the ledger,
// the cache and the sealing of secrets. It knows no nouns of the domain but the ledger's.
package storage
