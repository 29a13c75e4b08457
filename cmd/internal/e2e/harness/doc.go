// Package harness is what the tests of a running Wicket are written with. The tests themselves are in the packages
// beside it, one for each area.
//
// Begin with [Each], which runs a test against a server on SQLite and against one on PostgreSQL. Of a [Server] a test
// gets what stands outside: [Client], an app; [Browser], a person's browser that tells what it got; [Window], a real
// one. [CommandLine] runs the commands, and servers as processes of their own, by a binary that is built once for all
// packages. [ScriptedProvider] is a provider upstream.
package harness
