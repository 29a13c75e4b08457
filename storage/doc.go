// Package storage answers one question: where is it kept?
//
// It opens the database (SQLite or PostgreSQL), runs transactions, migrations and jobs, tells errors apart, and makes
// every outgoing request. It knows no nouns of the domain. Begin with Open and Write.
package storage
