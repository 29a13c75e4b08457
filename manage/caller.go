package manage

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/wicket-id/wicket/identity/administrators"
)

// Caller is who asks for something, and what they may do: what their administrative roles allow, as these were when the
// call began, and of that what their token or key was made for. Make one with Store.Person, Store.Client or Store.Key,
// or with Operator.
type Caller struct {
	Holder administrators.Holder
	Roles  []string // administrative ones

	name     string       // in the audit trail
	granted  []Permission // of their roles
	may      []Permission // of these, for what the token or key was made
	stepUp   bool         // a person: what is dangerous demands two factors, shown lately
	strong   bool         // and they were
	operator bool
	bounds   bounds
}

// bounds are what a key that a caller makes, and a role that they give, must keep within.
type bounds struct {
	ends     *time.Time // of the first of their roles; nil: none does
	key      *time.Time // when the key ends by which they call; nil: they call by none
	networks []string   // from where that works, in CIDR notation; empty: from anywhere
}

// StepUpFor is how long two factors that a person has shown are enough for what is dangerous.
const StepUpFor = 15 * time.Minute

// ForbiddenError says that a caller may not do something.
type ForbiddenError struct {
	Permission Permission // what it takes
	Reason     string     // "role", "scope": which of the two does not allow it; "mightier": see DemandAbove
}

func (e *ForbiddenError) Error() string {
	switch e.Reason {
	case forbiddenByScope:
		return fmt.Sprintf("the token or key was not made for %s", e.Permission)
	case forbiddenByMight:
		return "this is about somebody who may do what you may not"
	}
	return fmt.Sprintf("your administrative roles do not allow %s", e.Permission)
}

const (
	forbiddenByRole  = "role"
	forbiddenByScope = "scope"
	forbiddenByMight = "mightier"
)

// StepUpError says that a person must show two factors first: RFC 9470.
type StepUpError struct{ Permission Permission }

func (e *StepUpError) Error() string {
	return fmt.Sprintf("%s takes a sign-in with two factors within the last %s", e.Permission, StepUpFor)
}

// Operator is who has the server's own machine: above all roles. Name is theirs in the audit trail.
func Operator(name string) Caller { return Caller{name: name, operator: true} }

// IsOperator tells whether the caller has the server's own machine.
func (c Caller) IsOperator() bool { return c.operator }

// Actor is the name of the caller in the audit trail.
func (c Caller) Actor() string { return c.name }

// Permissions are what the caller may do.
func (c Caller) Permissions() []Permission {
	if c.operator {
		all, _ := Permissions()
		return all
	}
	return c.may
}

// Demand returns a *ForbiddenError where the caller may not do something, and a *StepUpError where they may once they
// have shown two factors.
func (c Caller) Demand(permission Permission) error {
	switch {
	case c.operator:
		return nil
	case !slices.Contains(c.granted, permission):
		return &ForbiddenError{permission, forbiddenByRole}
	case !slices.Contains(c.may, permission):
		return &ForbiddenError{permission, forbiddenByScope}
	case needsStepUp(permission):
		return c.demandStepUp(permission)
	}
	return nil
}

// demandStepUp returns a *StepUpError where the caller is a person who has not shown two factors lately.
func (c Caller) demandStepUp(permission Permission) error {
	if c.stepUp && !c.strong {
		return &StepUpError{permission}
	}
	return nil
}

// DemandAbove returns a *ForbiddenError where roles allow anything that the caller may not do by this token or key:
// nobody changes somebody mightier, nor gives what they lack. Whoever has a role at all is changed only by a person who
// has shown two factors lately; otherwise it returns a *StepUpError.
func (c Caller) DemandAbove(roles []string, permission Permission) error {
	if c.operator || len(roles) == 0 {
		return nil
	}
	for _, allowed := range PermissionsOf(roles) {
		if !slices.Contains(c.may, allowed) {
			return &ForbiddenError{allowed, forbiddenByMight}
		}
	}
	return c.demandStepUp(permission)
}

// Fingerprint is text that is another where the caller may do something else.
func (c Caller) Fingerprint() string { return fmt.Sprint(c.name, c.may, c.stepUp, c.strong) }

// DemandToGrant returns an error where the caller may not make somebody hold an administrative role, nor take it back:
// it takes more than that role, but for owners. It returns administrators.ErrUnknown, a *ForbiddenError or a
// *StepUpError.
func (c Caller) DemandToGrant(role string) error {
	if err := administrators.Check(role); err != nil {
		return err
	}
	if err := c.Demand(WriteAdmins); err != nil {
		return err
	}
	if err := c.DemandAbove([]string{role}, WriteAdmins); err != nil {
		return err
	}
	all, _ := Permissions()
	if given := PermissionsOf([]string{role}); !c.operator && len(c.may) < len(all) && len(given) == len(c.granted) {
		return &ForbiddenError{WriteAdmins, forbiddenByMight}
	}
	return nil
}

// MayGrant tells whether DemandToGrant lets the caller pass, once they have shown two factors.
func (c Caller) MayGrant(role string) bool {
	err := c.DemandToGrant(role)
	var stepUp *StepUpError
	return err == nil || errors.As(err, &stepUp)
}

// DemandToInvite is DemandToGrant for somebody who is invited, and whose role will be for good.
func (c Caller) DemandToInvite(role string) error {
	if err := c.DemandToGrant(role); err != nil {
		return err
	}
	if c.outlasts(nil) {
		return administrators.ErrOutlasts
	}
	return nil
}

// outlasts tells whether something that ends then, or never (nil), outlasts what the caller has themselves.
func (c Caller) outlasts(ends *time.Time) bool {
	return c.bounds.ends != nil && (ends == nil || ends.After(*c.bounds.ends))
}
