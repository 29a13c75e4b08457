// Package copying moves everything from one database into another, from SQLite to PostgreSQL or back, and compares
// every row. Begin with Copy.
package copying
