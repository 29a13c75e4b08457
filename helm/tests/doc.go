// Package tests holds the tests of the chart, in a module of its own: Helm and what it needs stay out of Wicket's.
package tests
