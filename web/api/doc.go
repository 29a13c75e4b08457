// Package api is the management API: a thin door on package manage, with OpenAPI made from the code. Begin with Routes.
package api
