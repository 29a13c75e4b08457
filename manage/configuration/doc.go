// Package configuration makes this server what a file declares: its groups, apps, APIs and providers. Apply does it,
// in one transaction; Plan does the same in one that is rolled back, so that it tells exactly what Apply will do;
// Export writes such a file of what there is. Begin with Read and Store.
package configuration
