// Package storage answers one question: where is it kept?
//
// It opens the database (SQLite or PostgreSQL), runs transactions and migrations, tells errors apart, and keeps the cache and
// the sealing of secrets. It knows no nouns of the domain. Begin with Open and Write.
package storage
