package clients

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/wicket-id/wicket/storage/audit"
)

// metadatum is one thing that a client is registered with, besides its client_id and its secret.
type metadatum struct {
	name   string            // RFC 7591, section 2, and the specifications that add to it; or Wicket's own
	column string            // of the table clients
	of     func(*Client) any // a pointer to the field
	own    bool              // an app may say it of itself, where it registers itself
}

// metadata is the table of what a client is registered with, in the order in which it is shown. Declared clients, the
// command line, the audit trail and registration all go by it.
var metadata = []metadatum{
	{"client_name", "name", func(c *Client) any { return &c.Name }, true},
	{"token_endpoint_auth_method", "auth_method", func(c *Client) any { return &c.AuthMethod }, true},
	{"any_secret_method", "any_secret_method", func(c *Client) any { return &c.AnySecretMethod }, false},
	{"grant_types", "grant_types", func(c *Client) any { return &c.GrantTypes }, true},
	{"response_types", "response_types", func(c *Client) any { return &c.ResponseTypes }, true},
	{"redirect_uris", "redirect_uris", func(c *Client) any { return &c.RedirectURIs }, true},
	{"post_logout_redirect_uris", "post_logout_redirect_uris", func(c *Client) any { return &c.PostLogoutRedirectURIs }, true},
	{"allowed_origins", "allowed_origins", func(c *Client) any { return &c.AllowedOrigins }, false},
	{"scope", "scopes", func(c *Client) any { return (*scopeList)(&c.Scopes) }, true},
	{"apis", "apis", func(c *Client) any { return &c.APIs }, false},
	{"subject_type", "subject_type", func(c *Client) any { return &c.SubjectType }, true},
	{"sector_identifier_uri", "sector_identifier_uri", func(c *Client) any { return &c.SectorIdentifierURI }, true},
	{"id_token_signed_response_alg", "id_token_alg", func(c *Client) any { return &c.IDTokenAlg }, true},
	{"authorization_signed_response_alg", "response_alg", func(c *Client) any { return &c.ResponseAlg }, true},
	{"id_token_claims", "id_token_claims", func(c *Client) any { return &c.IDTokenClaims }, true},
	{"userinfo_signed_response_alg", "userinfo_alg", func(c *Client) any { return &c.UserinfoAlg }, true},
	{
		"id_token_encrypted_response_alg", "id_token_encryption_alg",
		func(c *Client) any { return &c.IDTokenEncryption.Alg }, true,
	},
	{
		"id_token_encrypted_response_enc", "id_token_encryption_enc",
		func(c *Client) any { return &c.IDTokenEncryption.Enc }, true,
	},
	{
		"userinfo_encrypted_response_alg", "userinfo_encryption_alg",
		func(c *Client) any { return &c.UserinfoEncryption.Alg }, true,
	},
	{
		"userinfo_encrypted_response_enc", "userinfo_encryption_enc",
		func(c *Client) any { return &c.UserinfoEncryption.Enc }, true,
	},
	{
		"authorization_encrypted_response_alg", "response_encryption_alg",
		func(c *Client) any { return &c.ResponseEncryption.Alg }, true,
	},
	{
		"authorization_encrypted_response_enc", "response_encryption_enc",
		func(c *Client) any { return &c.ResponseEncryption.Enc }, true,
	},
	{"introspection_signed_response_alg", "introspection_alg", func(c *Client) any { return &c.IntrospectionAlg }, true},
	{
		"introspection_encrypted_response_alg", "introspection_encryption_alg",
		func(c *Client) any { return &c.IntrospectionEncryption.Alg }, true,
	},
	{
		"introspection_encrypted_response_enc", "introspection_encryption_enc",
		func(c *Client) any { return &c.IntrospectionEncryption.Enc }, true,
	},
	{"trusted", "is_trusted", func(c *Client) any { return &c.IsTrusted }, false},
	{"require_pkce", "require_pkce", func(c *Client) any { return &c.RequirePKCE }, false},
	{"require_pushed_authorization_requests", "require_par", func(c *Client) any { return &c.RequirePAR }, true},
	{"dpop_bound_access_tokens", "dpop_bound", func(c *Client) any { return &c.DPoPBound }, true},
	{"require_dpop_nonce", "dpop_nonce", func(c *Client) any { return &c.DPoPNonce }, false},
	{"profile", "profile", func(c *Client) any { return &c.Profile }, false},
	{"request_object_signing_alg", "request_object_alg", func(c *Client) any { return &c.RequestObjectAlg }, true},
	{
		"request_object_encryption_alg", "request_object_encryption_alg",
		func(c *Client) any { return &c.RequestEncryption.Alg }, true,
	},
	{
		"request_object_encryption_enc", "request_object_encryption_enc",
		func(c *Client) any { return &c.RequestEncryption.Enc }, true,
	},
	{"request_uris", "request_uris", func(c *Client) any { return &c.RequestURIs }, true},
	{"require_signed_request_object", "require_signed_request", func(c *Client) any { return &c.RequireSignedRequest }, true},
	{"introspects_all", "introspects_all", func(c *Client) any { return &c.IntrospectsAll }, false},
	{"disabled", "is_disabled", func(c *Client) any { return &c.IsDisabled }, false},
	{"required_acr", "required_acr", func(c *Client) any { return &c.RequiredACR }, false},
	{"access", "access", func(c *Client) any { return &c.Access }, false},
	{"access_groups", accessGroups, func(c *Client) any { return &c.AccessGroups }, false},
	{"groups_claim", "groups_claim", func(c *Client) any { return &c.GroupsClaim }, false},
	{"groups", "groups_told", func(c *Client) any { return &c.GroupsTold }, false},
	{"application_type", "application_type", func(c *Client) any { return &c.ApplicationType }, true},
	{"contacts", "contacts", func(c *Client) any { return &c.Contacts }, true},
	{"software_id", "software_id", func(c *Client) any { return &c.SoftwareID }, true},
	{"software_version", "software_version", func(c *Client) any { return &c.SoftwareVersion }, true},
	{"jwks", "jwks", func(c *Client) any { return &c.JWKS }, true},
	{"jwks_uri", "jwks_uri", func(c *Client) any { return &c.JWKSURI }, true},
	{"logo_uri", "logo_uri", func(c *Client) any { return &c.LogoURI }, true},
	{"client_uri", "client_uri", func(c *Client) any { return &c.ClientURI }, true},
	{"policy_uri", "policy_uri", func(c *Client) any { return &c.PolicyURI }, true},
	{"tos_uri", "tos_uri", func(c *Client) any { return &c.TOSURI }, true},
	{"initiate_login_uri", "initiate_login_uri", func(c *Client) any { return &c.InitiateLoginURI }, true},
	{"backchannel_logout_uri", "backchannel_logout_uri", func(c *Client) any { return &c.BackchannelLogoutURI }, true},
	{
		"backchannel_logout_session_required", "backchannel_logout_session_required",
		func(c *Client) any { return &c.BackchannelLogoutSessionRequired }, true,
	},
	{"frontchannel_logout_uri", "frontchannel_logout_uri", func(c *Client) any { return &c.FrontchannelLogoutURI }, true},
	{
		"frontchannel_logout_session_required", "frontchannel_logout_session_required",
		func(c *Client) any { return &c.FrontchannelLogoutSessionRequired }, true,
	},
}

// accessGroups is no column, but rows of another table: see access.Entry.
const accessGroups = "access_groups"

// scopeList is a list that is a string in JSON, with spaces between: RFC 7591, section 2.
type scopeList []string

func (s *scopeList) MarshalJSON() ([]byte, error) { return json.Marshal(strings.Join(*s, " ")) }

func (s *scopeList) UnmarshalJSON(encoded []byte) error {
	var text string
	err := json.Unmarshal(encoded, &text)
	*s = strings.Fields(text)
	return err
}

// Member is one member of a JSON object.
type Member struct {
	Name  string
	Value any
}

// Describe returns the client as a JSON object: its client_id and its metadata under the names of RFC 7591, section 2,
// and what else there is to say, such as the client_secret, which the row does not know. Texts and keys that are not
// there are left out.
func (c *Client) Describe(more ...Member) (json.RawMessage, error) {
	return c.describe(func(metadatum) bool { return true }, more)
}

// DescribeOwn is Describe for the app itself: what an app may say of itself, and nothing of what its operator decides.
func (c *Client) DescribeOwn(more ...Member) (json.RawMessage, error) {
	return c.describe(func(m metadatum) bool { return m.own }, more)
}

func (c *Client) describe(which func(metadatum) bool, more []Member) (json.RawMessage, error) {
	members := []Member{{"client_id", c.ID}}
	for _, m := range metadata {
		if value := m.of(c); which(m) && !isAbsent(value) {
			members = append(members, Member{m.name, value})
		}
	}
	var object bytes.Buffer
	object.WriteByte('{')
	for i, member := range append(members, more...) {
		value, err := json.Marshal(member.Value)
		if err != nil {
			return nil, fmt.Errorf("describe client %s: %s: %w", c.ID, member.Name, err)
		}
		if i > 0 {
			object.WriteByte(',')
		}
		fmt.Fprintf(&object, "%q:%s", member.Name, value)
	}
	object.WriteByte('}')
	return object.Bytes(), nil
}

// ReadMetadata reads a client from a JSON object with a client_id and metadata. Whether they are in order is not looked
// at. It returns the members that are neither too: to some who ask they mean something, and to some a mistake. What is
// of the wrong type is named in an ErrClient.
func ReadMetadata(object []byte) (*Client, map[string]json.RawMessage, error) {
	client, members, err := readMetadata(object, func(metadatum) bool { return true })
	if id, given := members["client_id"]; given {
		delete(members, "client_id")
		if json.Unmarshal(id, &client.ID) != nil {
			err = errors.Join(fmt.Errorf("%w: client_id is not a string", ErrClient), err)
		}
	}
	return client, members, err
}

// ReadOwnMetadata is ReadMetadata for what an app says of itself: its client_id and what its operator decides stay
// among the other members.
func ReadOwnMetadata(object []byte) (*Client, map[string]json.RawMessage, error) {
	return readMetadata(object, func(m metadatum) bool { return m.own })
}

func readMetadata(object []byte, which func(metadatum) bool) (*Client, map[string]json.RawMessage, error) {
	client := new(Client)
	var members map[string]json.RawMessage
	if err := json.Unmarshal(object, &members); err != nil {
		return client, nil, fmt.Errorf("%w: not a JSON object", ErrClient)
	}
	var faults []error
	for _, m := range metadata {
		value, given := members[m.name]
		if !given || !which(m) {
			continue
		}
		delete(members, m.name)
		if string(value) == "null" { // RFC 7591, section 2: as if it were left out
			continue
		}
		if err := json.Unmarshal(value, m.of(client)); err != nil {
			faults = append(faults, fmt.Errorf("%w: %s is not %s", ErrClient, m.name, shapeOf(m.of(client))))
		}
	}
	return client, members, errors.Join(faults...)
}

// Shape says what JSON a member of the metadata is.
type Shape struct {
	Name string
	Kind string // "string", "boolean", "strings" (a list) or "object"
}

// Shapes are the members of the metadata in the order of the table.
func Shapes() []Shape {
	shapes := make([]Shape, len(metadata))
	for i, m := range metadata {
		shapes[i].Name = m.name
		switch m.of(new(Client)).(type) {
		case *string, *scopeList:
			shapes[i].Kind = "string"
		case *bool:
			shapes[i].Kind = "boolean"
		case *[]string:
			shapes[i].Kind = "strings"
		default:
			shapes[i].Kind = "object"
		}
	}
	return shapes
}

// TakeMetadata makes a client be registered with what another is, but for its client_id and its secret.
func TakeMetadata(c, from *Client) {
	for _, m := range metadata {
		reflect.ValueOf(m.of(c)).Elem().Set(reflect.ValueOf(m.of(from)).Elem())
	}
}

// KeepOperators takes over what an operator has decided of a client from what it was before.
func KeepOperators(c, before *Client) {
	for _, m := range metadata {
		if !m.own && m.name != "apis" && m.name != "any_secret_method" {
			reflect.ValueOf(m.of(c)).Elem().Set(reflect.ValueOf(m.of(before)).Elem())
		}
	}
}

// shapeOf is what JSON a field is read from.
func shapeOf(field any) string {
	switch field.(type) {
	case *string, *scopeList:
		return "a string"
	case *bool:
		return "true or false"
	case *[]string:
		return "a list of strings"
	default:
		return "what it should be"
	}
}

// isAbsent tells whether there is nothing to show: no text and no JSON. Lists and truth values are always shown.
func isAbsent(field any) bool {
	switch field := field.(type) {
	case *string:
		return *field == ""
	case *json.RawMessage:
		return *field == nil
	default:
		return false
	}
}

// columns is what the audit trail keeps of a client: every column of its metadata that is not empty. Its secret is
// none, not even as a digest.
func (c *Client) columns() audit.Values {
	values := make(audit.Values, len(metadata))
	for _, m := range metadata {
		if field := m.of(c); !isAbsent(field) {
			values[m.column] = plain(field)
		}
	}
	return values
}

// plain is the value of a field as its column has it.
func plain(field any) any {
	if scopes, ok := field.(*scopeList); ok {
		return []string(*scopes)
	}
	return reflect.ValueOf(field).Elem().Interface()
}

// differences returns the columns in which c differs from what is registered, as they were and as they shall be.
func (c *Client) differences(registered *Client) (was, shall audit.Values) {
	was, shall = audit.Values{}, audit.Values{}
	before, after := registered.columns(), c.columns()
	for _, m := range metadata {
		if !same(before[m.column], after[m.column]) {
			was[m.column], shall[m.column] = before[m.column], after[m.column]
		}
	}
	if registered.DeclaredBy != c.DeclaredBy {
		was["declared_by"], shall["declared_by"] = registered.DeclaredBy, c.DeclaredBy
	}
	if !slices.Equal(registered.SecretHash, c.SecretHash) {
		shall["secret"] = "replaced"
		if c.SecretHash == nil {
			shall["secret"] = "removed"
		} else if c.PreviousSecretUntil != nil {
			shall["previous_secret_until"] = *c.PreviousSecretUntil
		}
	}
	return was, shall
}

// same compares two values of a column; key sets by what they mean, for PostgreSQL writes JSON anew.
func same(a, b any) bool {
	left, isJSON := a.(json.RawMessage)
	right, bothJSON := b.(json.RawMessage)
	if !isJSON || !bothJSON {
		return reflect.DeepEqual(a, b)
	}
	var x, y any
	return json.Unmarshal(left, &x) == nil && json.Unmarshal(right, &y) == nil && reflect.DeepEqual(x, y)
}
