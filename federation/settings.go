package federation

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/wicket-id/wicket/identity/groups"
	"github.com/wicket-id/wicket/identity/profile"
)

// Settings say how far a provider is trusted. The tags are those of its JSON column.
type Settings struct {
	// Microsoft: a tenant, or common, organizations or consumers
	Tenant       string   `json:"tenant,omitempty"`
	Tenants      []string `json:"tenants,omitempty"`      // Microsoft: of those only these, by their ids
	Scopes       []string `json:"scopes,omitempty"`       // requested; empty: what the kind needs
	Registration bool     `json:"registration,omitempty"` // people without an account may make one
	// who may: people of these domains alone; empty: of any
	Domains []string `json:"domains,omitempty"`
	// how far its e-mail addresses are trusted: the constants below
	Emails string `json:"emails,omitempty"`
	// fields of the profile and the claims that they follow at each sign-in
	Profile map[string]string `json:"profile,omitempty"`
	Roles   []RoleRule        `json:"roles,omitempty"`  // who gets which role, at each sign-in
	Groups  []GroupRule       `json:"groups,omitempty"` // who is in which group, from each sign-in on
	// its claim amr, how a person signed in there, is trusted
	TrustAMR bool `json:"trust_amr,omitempty"`
	// the acr by which it says that a second factor was used
	MultiFactor  string `json:"multi_factor,omitempty"`
	KeepTokens   bool   `json:"keep_tokens,omitempty"`   // its tokens are kept, sealed
	AllowPrivate bool   `json:"allow_private,omitempty"` // it may be at a private address
}

// RoleRule gives a role to those whose claim has, or holds among others, a value.
type RoleRule struct {
	Role  string `json:"role"`
	Claim string `json:"claim"`
	Value string `json:"value"`
}

// GroupRule puts those into a group whose claim has, or holds among others, a value.
type GroupRule struct {
	Group string `json:"group"` // its slug
	Claim string `json:"claim"`
	Value string `json:"value"`
}

// How far the e-mail addresses of a provider are trusted.
const (
	EmailsUnproved      = "unproved"      // people verify them here
	EmailsProved        = "proved"        // what it has verified counts as verified for a new account
	EmailsAuthoritative = "authoritative" // and its owner there may sign in to the account that has verified it here
)

var domainName = regexp.MustCompile(`^[a-z0-9-]+(\.[a-z0-9-]+)+$`)

// check says what is wrong with the settings of a provider of any kind.
func (s *Settings) check() error {
	for i := range s.Domains {
		s.Domains[i] = strings.ToLower(strings.TrimSpace(s.Domains[i]))
		if !domainName.MatchString(s.Domains[i]) {
			return fmt.Errorf("%q is not the domain of an e-mail address, such as example.com", s.Domains[i])
		}
	}
	for field := range s.Profile {
		if !slices.ContainsFunc(new(profile.Profile).Fields(), func(f profile.Field) bool {
			return f.Name == field
		}) {
			return fmt.Errorf("a profile has no field %q", field)
		}
	}
	for _, rule := range s.Roles {
		if !groups.RoleName.MatchString(rule.Role) || rule.Claim == "" || rule.Value == "" {
			return errors.New(
				"a rule for a role needs its name, the claim and the claim's value, as in admin=groups=wicket-admins",
			)
		}
	}
	for _, rule := range s.Groups {
		if groups.CheckSlug(rule.Group) != nil || rule.Claim == "" || rule.Value == "" {
			return errors.New(
				"a rule for a group needs its slug, the claim and the claim's value, as in staff=groups=all-staff",
			)
		}
	}
	if !slices.Contains([]string{EmailsUnproved, EmailsProved, EmailsAuthoritative}, s.Emails) {
		return errors.New("e-mails must be unproved, proved or authoritative")
	}
	return nil
}

// refuseTenants is for the kinds that have none.
func (s *Settings) refuseTenants() error {
	if s.Tenant != "" || len(s.Tenants) > 0 {
		return errors.New("tenants are Microsoft's alone")
	}
	return nil
}

// requireProvedDomains is for the kinds where the domain of a person is that of their e-mail address.
func (s *Settings) requireProvedDomains() error {
	if len(s.Domains) > 0 && s.Emails == EmailsUnproved {
		return errors.New(
			"domains count for e-mail addresses that are trusted: set emails to proved or authoritative too",
		)
	}
	return nil
}
