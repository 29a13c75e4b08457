// Package webhooks tells programs elsewhere of events: each webhook is a URL to which they are posted, signed as
// Standard Webhooks says (https://www.standardwebhooks.com), again and again until they are taken. What an
// administrator may do with them are the methods of Store; Store.Hear writes, in the transaction that numbers an event,
// the deliveries to those that listen with a job for each, and Worker does these jobs. Begin with Store.
package webhooks
