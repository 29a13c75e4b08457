// Package administrators keeps who may administer this server: the administrative roles of people, of apps that act by
// themselves, and of API keys. They are apart from the roles that apps are told of, so no provider's claim, no import
// and no app can give one. What a role allows is for package manage to say. Begin with Store.
package administrators
