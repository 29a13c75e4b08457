package tokens

// What the tests see of this package besides what everybody sees.
const AccessTokenAlg = accessTokenAlg

// KID is the id of the key that signed the claims.
func (c *AccessClaims) KID() string { return c.kid }
