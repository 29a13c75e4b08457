package tokens

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/identity/groups"
	"github.com/wicket-id/wicket/identity/profile"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/access"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/storage"
)

// Person is everything that apps may be told of somebody. Where it was not read, UserID is uuid.Nil.
type Person struct {
	profile.Profile `bun:",extend"`

	Username        string     `bun:"username"`
	Email           string     `bun:"email,nullzero"`
	EmailVerifiedAt *time.Time `bun:"email_verified_at"`
	Phone           string     `bun:"phone,nullzero"`
	PhoneVerifiedAt *time.Time `bun:"phone_verified_at"`
	Roles           []string   `bun:"roles,type:jsonb"`  // theirs and those of their groups; nil: not read
	Groups          []string   `bun:"groups,type:jsonb"` // those that the app is told; nil: not read
	GroupsClaim     string     `bun:"groups_claim"`      // what the app calls the claim for them
}

// Claims turns a person into the claims that apps get: those of the scopes, and those that are asked for by name; of
// them only what the person has told. A claim of which another value was asked for is left out, essential or not:
// OpenID Connect Core, sections 5.1, 5.4 and 5.5.1.
func (who *Person) Claims(scopes []string, named oidc.NamedClaims) map[string]any {
	claims := make(map[string]any)
	tell := func(name string) {
		values, isNamed := named[name]
		value := claimOf[name](who)
		if value == nil || isNamed && !accepts(values, value) {
			return
		}
		if name == oidc.GroupsClaim {
			name = who.GroupsClaim
		}
		claims[name] = value
	}
	for _, scope := range oidc.Scopes[1:] { // who they are, sub, is for the caller to tell
		for _, name := range scope.Claims {
			if _, isNamed := named[name]; isNamed || slices.Contains(scopes, scope.Name) {
				tell(name)
			}
		}
	}
	return claims
}

// claimOf says what each claim about a person is: nil where they have not told it.
var claimOf = map[string]func(*Person) any{
	"name":                  func(who *Person) any { return told(who.Name) },
	"given_name":            func(who *Person) any { return told(who.GivenName) },
	"family_name":           func(who *Person) any { return told(who.FamilyName) },
	"middle_name":           func(who *Person) any { return told(who.MiddleName) },
	"nickname":              func(who *Person) any { return told(who.Nickname) },
	"preferred_username":    func(who *Person) any { return told(who.Username) },
	"profile":               func(who *Person) any { return told(who.Profile.Profile) },
	"picture":               func(who *Person) any { return told(who.Picture) },
	"website":               func(who *Person) any { return told(who.Website) },
	"gender":                func(who *Person) any { return told(who.Gender) },
	"birthdate":             func(who *Person) any { return told(who.Birthdate) },
	"zoneinfo":              func(who *Person) any { return told(who.Zoneinfo) },
	"locale":                func(who *Person) any { return told(who.Locale) },
	"updated_at":            func(who *Person) any { return updated(who.ModifiedAt) },
	"email":                 func(who *Person) any { return told(who.Email) },
	"email_verified":        func(who *Person) any { return isVerified(who.Email, who.EmailVerifiedAt) },
	"phone_number":          func(who *Person) any { return told(who.Phone) },
	"phone_number_verified": func(who *Person) any { return isVerified(who.Phone, who.PhoneVerifiedAt) },
	"address": func(who *Person) any {
		if who.Address == nil {
			return nil
		}
		return who.Address
	},
	"roles": func(who *Person) any {
		if who.Roles == nil {
			return nil
		}
		slices.Sort(who.Roles)
		return who.Roles
	},
	oidc.GroupsClaim: func(who *Person) any {
		if who.Groups == nil {
			return nil
		}
		slices.Sort(who.Groups)
		return who.Groups
	},
}

func told(text string) any {
	if text == "" {
		return nil
	}
	return text
}

func updated(at time.Time) any {
	if at.IsZero() {
		return nil
	}
	return at.Unix()
}

func isVerified(what string, at *time.Time) any {
	if what == "" {
		return nil
	}
	return at != nil
}

// accepts tells whether a value is among those that are wanted, as JSON; none: any will do.
func accepts(wanted []string, value any) bool {
	if len(wanted) == 0 {
		return true
	}
	encoded, err := json.Marshal(value)
	if err != nil {
		panic(err) // texts, numbers and truth values can be encoded
	}
	canonical, err := oidc.CanonicalJSON(encoded)
	if err != nil {
		panic(err) // it was encoded a moment ago
	}
	return slices.Contains(wanted, canonical)
}

// personColumns are those of a Person with the prefix person_, of what JoinPerson joins.
const personColumns = `profile.user_id AS person_user_id, profile.name AS person_name,
	profile.given_name AS person_given_name, profile.family_name AS person_family_name,
	profile.middle_name AS person_middle_name, profile.nickname AS person_nickname,
	profile.profile AS person_profile, profile.picture AS person_picture, profile.website AS person_website,
	profile.gender AS person_gender, profile.birthdate AS person_birthdate, profile.zoneinfo AS person_zoneinfo,
	profile.locale AS person_locale, profile.address AS person_address, profile.modified_at AS person_modified_at,
	"user".username AS person_username,
	email.address AS person_email, email.verified_at AS person_email_verified_at,
	phone.number AS person_phone, phone.verified_at AS person_phone_verified_at,
	client.groups_claim AS person_groups_claim`

// joinPerson adds the person of a grant to a query that has joined what the grant hangs on: see
// oidc.Provider.JoinStanding. They are columns of a Person with the prefix person_. Roles and groups are read where
// rolesIf and groupsIf, SQL conditions, are true.
func (p *Service) joinPerson(query *bun.SelectQuery, rolesIf, groupsIf string) *bun.SelectQuery {
	list := "json_group_array(role_name)"
	if p.Database.Kind == storage.Postgres {
		list = "COALESCE(jsonb_agg(role_name), '[]')"
	}
	user := bun.Ident("user.id")
	return query.ColumnExpr(personColumns).
		ColumnExpr(
			"CASE WHEN "+rolesIf+" THEN (SELECT "+list+" FROM ("+groups.HeldRoles+") AS held) END AS person_roles", user, user,
		).
		ColumnExpr("CASE WHEN "+groupsIf+" THEN ("+access.Told(p.Database.Kind)+") END AS person_groups", user).
		Join(`LEFT JOIN profiles AS profile ON profile.user_id = "user".id`).
		Join(`LEFT JOIN emails AS email ON email.user_id = "user".id AND email.is_primary`).
		Join(`LEFT JOIN phones AS phone ON phone.user_id = "user".id AND phone.is_primary`)
}

// JoinPerson adds the person of a grant, with the prefix person_, to a query that has joined what the grant hangs on,
// if the ID tokens of the client tell of people by scope; otherwise the query stays as it is.
func (p *Service) JoinPerson(query *bun.SelectQuery, client *clients.Client) *bun.SelectQuery {
	if client == nil || client.IDTokenClaims == clients.IDTokenMinimal || !tellOfPeople(client.Scopes) {
		return query
	}
	readIf := func(scope string) string {
		if slices.Contains(client.Scopes, scope) {
			return "TRUE"
		}
		return "FALSE"
	}
	return p.joinPerson(query, readIf(oidc.RolesScope), readIf(oidc.GroupsScope))
}

// tellOfPeople tells whether scopes give more than who somebody is.
func tellOfPeople(scopes []string) bool {
	return slices.ContainsFunc(oidc.Scopes[1:], func(scope oidc.Scope) bool {
		return len(scope.Claims) > 0 && slices.Contains(scopes, scope.Name)
	})
}

// PersonByID reads a person as a client is told of them, for an ID token of a grant that was not read with its person.
// It returns storage.ErrNotFound.
func (p *Service) PersonByID(ctx context.Context, client *clients.Client, userID uuid.UUID) (*Person, error) {
	var found struct {
		Person Person `bun:"embed:person_"`
	}
	query := p.Database.Reader().NewSelect().TableExpr(`users AS "user"`).Where(`"user".id = ?`, userID).
		Join("JOIN clients AS client ON client.id = ?", client.ID)
	if err := p.joinPerson(query, "TRUE", "TRUE").Scan(ctx, &found); err != nil {
		return nil, fmt.Errorf("person: %w", storage.NotFound(err))
	}
	return &found.Person, nil
}
