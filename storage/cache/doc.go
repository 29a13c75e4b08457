// Package cache counts and limits what may be forgotten: in the process, or in Redis for all replicas. Nothing
// in it is lost with harm. Begin with Cache and Limits.
package cache
