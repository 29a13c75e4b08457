package clients

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/ory/fosite"
	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/identity/declared"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/audit"
)

// Client is an app that Wicket serves: RFC 6749, section 2, with the metadata of RFC 7591.
type Client struct {
	bun.BaseModel `bun:"table:clients,alias:client"`

	ID         string `bun:"id,pk"`
	Name       string `bun:"name"`
	AuthMethod string `bun:"auth_method"` // token_endpoint_auth_method: see AuthMethods
	// with a secret: both methods will do, for the operator named none
	AnySecretMethod        bool            `bun:"any_secret_method"`
	SecretHash             []byte          `bun:"secret_hash"`
	PreviousSecretHash     []byte          `bun:"previous_secret_hash"` // while it is rotated: see RotateSecret
	PreviousSecretUntil    *time.Time      `bun:"previous_secret_until"`
	JWKS                   json.RawMessage `bun:"jwks,type:jsonb,nullzero"` // its public keys, where it signs
	JWKSURI                string          `bun:"jwks_uri"`
	GrantTypes             []string        `bun:"grant_types,type:jsonb"`
	ResponseTypes          []string        `bun:"response_types,type:jsonb"`
	RedirectURIs           []string        `bun:"redirect_uris,type:jsonb"`
	PostLogoutRedirectURIs []string        `bun:"post_logout_redirect_uris,type:jsonb"`
	// from which a page may call the token endpoint
	AllowedOrigins []string `bun:"allowed_origins,type:jsonb"`
	Scopes         []string `bun:"scopes,type:jsonb"` // what it may ask for
	APIs           []string `bun:"apis,type:jsonb"`   // the identifiers of those that it may ask for tokens for
	SubjectType    string   `bun:"subject_type"`      // whom it knows people as: see SubjectTypes
	// lists the redirect URIs of all apps of its sector: see CheckSector
	SectorIdentifierURI string `bun:"sector_identifier_uri"`
	// the host that its sector is known by, with pairwise subjects; otherwise empty. Complete finds it out.
	Sector        string `bun:"sector"`
	IDTokenAlg    string `bun:"id_token_alg"`    // id_token_signed_response_alg
	IDTokenClaims string `bun:"id_token_claims"` // what ID tokens tell of people: see IDTokenClaimsValues
	UserinfoAlg   string `bun:"userinfo_alg"`    // userinfo_signed_response_alg; empty: plain JSON
	// of signed answers: authorization_signed_response_alg
	ResponseAlg string `bun:"response_alg"`
	// how what it is told is encrypted for it, besides being signed
	IDTokenEncryption  Encryption `bun:"embed:id_token_encryption_"` // of logout tokens, too
	UserinfoEncryption Encryption `bun:"embed:userinfo_encryption_"`
	ResponseEncryption Encryption `bun:"embed:response_encryption_"` // of signed answers
	// of introspection answers that it asks for as JWTs: RFC 9701
	IntrospectionAlg        string     `bun:"introspection_alg"`
	IntrospectionEncryption Encryption `bun:"embed:introspection_encryption_"`
	IsTrusted               bool       `bun:"is_trusted"` // ours: no consent page
	// may introspect the access tokens of other clients that are for the server itself, not for an API
	IntrospectsAll bool   `bun:"introspects_all"`
	IsDisabled     bool   `bun:"is_disabled"`  // for now: it proves nothing, and nobody can use it
	RequirePKCE    bool   `bun:"require_pkce"` // ours: of a public client it is required anyway
	RequirePAR     bool   `bun:"require_par"`  // require_pushed_authorization_requests: RFC 9126, section 6
	DPoPBound      bool   `bun:"dpop_bound"`   // dpop_bound_access_tokens: RFC 9449, section 5.2
	DPoPNonce      bool   `bun:"dpop_nonce"`   // ours: its proofs hold a nonce of this server
	Profile        string `bun:"profile"`      // ours: see Profile; empty: none
	// how it signs request objects: request_object_signing_alg; empty: as it likes, AlgNone: not at all
	RequestObjectAlg string `bun:"request_object_alg"`
	// and how it encrypts them besides: request_object_encryption_alg and ..._enc
	RequestEncryption    Encryption `bun:"embed:request_object_encryption_"`
	RequestURIs          []string   `bun:"request_uris,type:jsonb"` // where its request objects may be fetched
	RequireSignedRequest bool       `bun:"require_signed_request"`  // RFC 9101, section 10.5
	// the weakest sign-in that it accepts; empty: any
	RequiredACR string `bun:"required_acr"`
	// who may use it: access.Everyone, or access.Listed, which are the people of these groups, by their slugs
	Access       string   `bun:"access"`
	AccessGroups []string `bun:"access_groups,type:jsonb,scanonly"` // kept as rows: see access.Entry
	GroupsClaim  string   `bun:"groups_claim"`                      // what it calls the claim that tells of groups
	// which groups of a person it is told: access.ToldAll, access.ToldAccess, or prefix: with the beginning of slugs
	GroupsTold string `bun:"groups_told"`
	LogoURI    string `bun:"logo_uri"`
	ClientURI  string `bun:"client_uri"`
	PolicyURI  string `bun:"policy_uri"`
	TOSURI     string `bun:"tos_uri"`
	// where somebody else may have the app begin a sign-in: initiate_login_uri, OpenID Connect Core, section 4
	InitiateLoginURI string `bun:"initiate_login_uri"`
	// web or native, as the app says where it registers itself
	ApplicationType string   `bun:"application_type"`
	Contacts        []string `bun:"contacts,type:jsonb"`
	SoftwareID      string   `bun:"software_id"`
	SoftwareVersion string   `bun:"software_version"`

	Origin             string          `bun:"origin"`                                  // by whom it was registered
	DeclaredBy         string          `bun:"declared_by"`                             // see package declared
	RegistrationHash   []byte          `bun:"registration_hash"`                       // of its registration access token
	RegistrationPolicy json.RawMessage `bun:"registration_policy,type:jsonb,nullzero"` // what it may become

	FreshUntil   *time.Time `bun:"fresh_until"`   // of OriginDocument: how long what was read may be believed
	ConsentsFrom *time.Time `bun:"consents_from"` // consents of before were given to what the app was then; nil: all count
	// OpenID Connect Back-Channel Logout, section 2.2, and Front-Channel Logout, section 2. Our tokens and addresses have
	// a sid, whether it is required or not.
	BackchannelLogoutURI              string `bun:"backchannel_logout_uri"`
	BackchannelLogoutSessionRequired  bool   `bun:"backchannel_logout_session_required"`
	FrontchannelLogoutURI             string `bun:"frontchannel_logout_uri"`
	FrontchannelLogoutSessionRequired bool   `bun:"frontchannel_logout_session_required"`

	CreatedAt  time.Time `bun:"created_at"`
	CreatedBy  string    `bun:"created_by"`
	ModifiedAt time.Time `bun:"modified_at"`
	ModifiedBy string    `bun:"modified_by"`
}

// How a client proves who it is: OpenID Connect Core, section 9.
const (
	AuthBasic         = "client_secret_basic"
	AuthPost          = "client_secret_post"
	AuthPrivateKeyJWT = "private_key_jwt"
	AuthNone          = "none" // a public client: it cannot keep a secret, and must use PKCE
)

// By whom a client was registered.
const (
	OriginOperator = "operator"
	OriginToken    = "token" // by the app itself, with an initial access token of the operator's
	OriginOpen     = "open"  // by the app itself, as anybody may
	// by nobody: the client_id is the URL of a document that describes it
	OriginDocument = "document"
)

// AuthMethods are the methods that Wicket knows.
var AuthMethods = []string{AuthBasic, AuthPost, AuthPrivateKeyJWT, AuthNone}

// What the ID tokens of a client tell of people. Userinfo tells what scopes give in any case, and so does an ID token
// that comes without an access token.
const (
	IDTokenScopes  = "scopes"  // what the granted scopes give
	IDTokenMinimal = "minimal" // nothing but what is asked for by name
)

// IDTokenClaimsValues are the values of IDTokenClaims.
var IDTokenClaimsValues = []string{IDTokenScopes, IDTokenMinimal}

// ErrClient wraps what is wrong with the metadata of a client.
var ErrClient = errors.New("invalid client metadata")

// ErrClientExists says that the id is taken.
var ErrClientExists = errors.New("a client with this id exists already")

// ErrClientChanged says that somebody else has changed or deleted the client at the same time.
var ErrClientChanged = errors.New("the client was changed or deleted by somebody else meanwhile; try again")

// fosite asks for these.
var (
	_ fosite.Client             = (*Client)(nil)
	_ fosite.ResponseModeClient = (*Client)(nil)
)

func (c *Client) GetID() string                      { return c.ID }
func (c *Client) GetHashedSecret() []byte            { return c.SecretHash }
func (c *Client) GetRedirectURIs() []string          { return c.RedirectURIs }
func (c *Client) GetGrantTypes() fosite.Arguments    { return c.GrantTypes }
func (c *Client) GetResponseTypes() fosite.Arguments { return fosite.Arguments{"code"} }
func (c *Client) GetScopes() fosite.Arguments        { return c.Scopes }
func (c *Client) GetAudience() fosite.Arguments      { return nil }
func (c *Client) IsPublic() bool                     { return c.AuthMethod == AuthNone }
func (c *Client) GetResponseModes() []fosite.ResponseModeType {
	return []fosite.ResponseModeType{fosite.ResponseModeQuery, fosite.ResponseModeFragment, fosite.ResponseModeFormPost}
}

// HasSecret tells whether the client proves who it is by a secret.
func (c *Client) HasSecret() bool { return c.AuthMethod == AuthBasic || c.AuthMethod == AuthPost }

// signs tells whether the client may prove who it is by a signature. One that is known by a document may do so where it
// also may come without.
func signs(c *Client) bool {
	hasKeys := c.JWKS != nil || c.JWKSURI != ""
	return c.AuthMethod == AuthPrivateKeyJWT || c.Origin == OriginDocument && hasKeys
}

// Outbound says how requests to an address of the client leave the server. Only what an operator has registered may
// lead to a private network because it is written down so.
func Outbound(c *Client, uri string, allowPrivate bool) storage.Outbound {
	outbound := storage.Outbound{AllowPrivate: allowPrivate}
	if c.Origin == OriginOperator {
		outbound.Target = uri
	}
	return outbound
}

// AlgNone is what a client is registered with as request_object_signing_alg whose request objects are not signed.
const AlgNone = "none"

// IsStranger tells whether nobody vouches for the client: anybody may have registered it.
func (c *Client) IsStranger() bool { return c.Origin == OriginOpen || c.Origin == OriginDocument }

// Actor is the name of the client in the audit trail and the logs.
func (c *Client) Actor() string { return "client:" + c.ID }

// MayCall tells whether the client is registered for an API, by its identifier.
func (c *Client) MayCall(api string) bool { return slices.Contains(c.APIs, api) }

// takes tells whether the client may authenticate by that method.
func (c *Client) takes(method string) bool {
	if c.AnySecretMethod && (method == AuthBasic || method == AuthPost) {
		return c.HasSecret()
	}
	return c.AuthMethod == method
}

// allowsOrigin tells whether a page of that origin may use this client: one of its redirect URIs lives there, or the
// operator has allowed it.
func (c *Client) allowsOrigin(origin string) bool {
	if slices.Contains(c.AllowedOrigins, origin) {
		return true
	}
	return slices.ContainsFunc(c.RedirectURIs, func(uri string) bool { return oidc.OriginOf(uri) == origin })
}

// Create registers a client and returns its secret, which is shown once and stored as a digest; it is empty for
// methods that need none. What is left out is completed: a new id, a secret that may come by client_secret_basic and
// client_secret_post alike, the code flow with refresh tokens, Wicket's own scopes, RS256, ID tokens that tell what
// scopes give. It returns ErrClient with what is wrong, or ErrClientExists.
func (p *Store) Create(ctx context.Context, client *Client) (secret string, err error) {
	if client.AuthMethod == "" || client.HasSecret() {
		secret = storage.NewSecret()
	}
	return secret, p.createClient(ctx, client, secret)
}

// CreateClientWithSecret is Create for a secret that the caller has made, of at least 128 random bits.
func (p *Store) CreateClientWithSecret(ctx context.Context, client *Client, secret string) error {
	return p.createClient(ctx, client, secret)
}

func (p *Store) createClient(ctx context.Context, client *Client, secret string) error {
	if err := client.Complete(); err != nil {
		return err
	}
	if err := p.Prepare(ctx, client); err != nil {
		return err
	}
	if err := p.CheckSector(ctx, client, nil); err != nil {
		return err
	}
	if secret != "" {
		client.SecretHash = storage.Digest(secret)
	}
	now := p.Now()
	err := p.Database.Write(ctx, func(ctx context.Context, tx bun.Tx) error { return Insert(ctx, tx, now, client) })
	if storage.Violates(err, "clients") {
		return ErrClientExists
	}
	if err != nil {
		return fmt.Errorf("create client: %w", err)
	}
	return nil
}

// Insert adds a client that is complete as part of tx, and notes when and by whom.
func Insert(ctx context.Context, tx bun.Tx, now time.Time, client *Client) error {
	actor := audit.ActorOf(ctx).Name
	client.CreatedAt, client.ModifiedAt, client.CreatedBy, client.ModifiedBy = now, now, actor, actor
	if _, err := tx.NewInsert().Model(client).Returning("NULL").Exec(ctx); err != nil {
		return err
	}
	if err := writeAccess(ctx, tx, client, nil); err != nil {
		return err
	}
	return audit.Record(ctx, tx, now, audit.Change{
		Entity: "client", EntityID: client.ID, Action: "created", New: client.columns(),
	})
}

// Update changes a client as change says, whose errors it returns. What change empties gets its default again. The
// secret stays; a client that needs one and has none gets one, which is returned, and one that needs none loses it. It
// returns storage.ErrNotFound, ErrClient with what is wrong, declared.ErrDeclared, or ErrClientChanged where somebody
// else changes it at the same time.
func (p *Store) Update(
	ctx context.Context, id string, change func(*Client) error,
) (client *Client, secret string, err error) {
	before, err := p.Fresh(ctx, id)
	if err != nil {
		return nil, "", err
	}
	if before.Origin == OriginDocument {
		return nil, "", fmt.Errorf("%w: this client is what the document at its client_id says", ErrClient)
	}
	after := *before
	if err := change(&after); err != nil {
		return nil, "", err
	}
	after.ID = before.ID
	if err := after.Complete(); err != nil {
		return nil, "", err
	}
	if err := p.Prepare(ctx, &after); err != nil {
		return nil, "", err
	}
	if err := p.CheckSector(ctx, &after, before); err != nil {
		return nil, "", err
	}
	switch {
	case !after.HasSecret():
		after.SecretHash, after.PreviousSecretHash, after.PreviousSecretUntil = nil, nil, nil
	case after.SecretHash == nil:
		secret = storage.NewSecret()
		after.SecretHash = storage.Digest(secret)
	}
	if err := p.Replace(ctx, before, &after); errors.Is(err, storage.ErrNotFound) {
		return nil, "", ErrClientChanged
	} else if err != nil {
		return nil, "", err
	}
	return &after, secret, nil
}

// Replace replaces the metadata and the secret of a client that was read as before; both are complete. One that an
// operator has not registered loses what it was granted where it would know people by another name. It returns
// storage.ErrNotFound where the client was deleted or changed meanwhile, or declared.ErrDeclared.
func (p *Store) Replace(ctx context.Context, before, after *Client) error {
	was, shall := after.differences(before)
	if len(shall) == 0 {
		return nil
	}
	if err := declared.Check(before.DeclaredBy); err != nil {
		return err
	}
	now := p.Now()
	after.ModifiedAt, after.ModifiedBy = now, audit.ActorOf(ctx).Name
	if after.Origin != OriginOperator && asksAgain(shall) || leavesSector(after, before) {
		after.ConsentsFrom = &now // an operator's change is an operator's to answer for
	}
	err := storage.WriteMuch(ctx, p.Database, func(ctx context.Context, tx bun.Tx) error {
		result, err := tx.NewUpdate().Model(after).WherePK().
			Where("modified_at = ?", before.ModifiedAt).Exec(ctx)
		if err != nil {
			return err
		}
		if n, err := result.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, storage.ErrNotFound)
		}
		if err := writeAccess(ctx, tx, after, before); err != nil {
			return err
		}
		if leavesSector(after, before) {
			if err := endWhatWasGranted(ctx, tx, now, after.ID); err != nil {
				return err
			}
		}
		return audit.Record(ctx, tx, now, audit.Change{
			Entity: "client", EntityID: after.ID, Action: "changed", Old: was, New: shall,
		})
	})
	p.cache.forget(after.ID)
	if err != nil {
		return fmt.Errorf("replace client %s: %w", after.ID, err)
	}
	return nil
}

// Adopt keeps a client that is complete and known by a document, in place of what was known of it before. Where it
// would receive answers elsewhere than before, or prove in another way who it is, people are asked for their consent
// again; where it would know them by another name, it loses what it was granted, too. admit may refuse one that is new,
// as part of the transaction.
func (p *Store) Adopt(
	ctx context.Context, client *Client, admit func(ctx context.Context, tx bun.Tx, now time.Time) error,
) error {
	now, actor := p.Now(), audit.ActorOf(ctx).Name
	client.CreatedAt, client.ModifiedAt, client.CreatedBy, client.ModifiedBy = now, now, actor, actor
	kept, err := storage.Write(ctx, p.Database, func(ctx context.Context, tx bun.Tx) (*Client, error) {
		if err := p.Database.Lock(ctx, tx, "adopt "+client.ID); err != nil {
			return nil, err
		}
		var registered []Client
		if err := selectClients(tx, p.Database.Kind, &registered).Where("id = ?", client.ID).Scan(ctx); err != nil {
			return nil, err
		}
		if len(registered) == 0 {
			if err := admit(ctx, tx, now); err != nil {
				return nil, err
			}
			after := *client
			return &after, Insert(ctx, tx, now, &after)
		}
		before, after := &registered[0], *client
		after.CreatedAt, after.CreatedBy, after.ConsentsFrom = before.CreatedAt, before.CreatedBy, before.ConsentsFrom
		KeepOperators(&after, before)
		was, shall := after.differences(before)
		if leavesSector(&after, before) {
			after.ConsentsFrom = &now
			if err := endWhatWasGranted(ctx, tx, now, after.ID); err != nil {
				return nil, err
			}
		} else if asksAgain(shall) {
			after.ConsentsFrom = &now
		}
		if _, err := tx.NewUpdate().Model(&after).WherePK().Exec(ctx); err != nil || len(shall) == 0 {
			return &after, err
		}
		return &after, audit.Record(ctx, tx, now, audit.Change{
			Entity: "client", EntityID: client.ID, Action: "changed", Old: was, New: shall,
		})
	})
	p.cache.forget(client.ID)
	if err != nil {
		return fmt.Errorf("adopt client: %w", err)
	}
	*client = *kept
	return nil
}

// Delete removes a client with its consents, grants and tokens. It returns storage.ErrNotFound or declared.ErrDeclared.
func (p *Store) Delete(ctx context.Context, id string) error {
	now := p.Now()
	err := storage.WriteMuch(ctx, p.Database, func(ctx context.Context, tx bun.Tx) error {
		return Within{p}.Delete(ctx, tx, now, id, "")
	})
	p.cache.forget(id)
	if err != nil {
		return fmt.Errorf("delete client %s: %w", id, err)
	}
	return nil
}

// Delete is Store.Delete as part of tx, of a client that source declares, or that no file does.
func (w Within) Delete(ctx context.Context, tx bun.Tx, now time.Time, id, source string) error {
	if w.Store.Leaving != nil {
		if err := w.Store.Leaving(ctx, tx, id); err != nil {
			return err
		}
	}
	err := storage.OneRow(tx.NewDelete().Model((*Client)(nil)).Where("id = ? AND declared_by = ?", id, source).Exec(ctx))
	if errors.Is(err, storage.ErrNotFound) {
		return Row(id).Missed(ctx, tx)
	} else if err != nil {
		return err
	}
	return audit.Record(ctx, tx, now, audit.Change{Entity: "client", EntityID: id, Action: "deleted"})
}

// List lists every client by name.
func (p *Store) List(ctx context.Context) ([]Client, error) {
	var clients []Client
	if err := selectClients(p.Database.Reader(), p.Database.Kind, &clients).Order("name", "id").Scan(ctx); err != nil {
		return nil, fmt.Errorf("list clients: %w", err)
	}
	return clients, nil
}

// ByID returns the client with that id, or storage.ErrNotFound. It may be a few seconds old.
func (p *Store) ByID(ctx context.Context, id string) (*Client, error) {
	if client := p.cache.get(id, p.Now()); client != nil {
		return client, nil
	}
	client, err := p.Fresh(ctx, id)
	if err != nil {
		return nil, err
	}
	p.cache.put(client, p.Now())
	return client, nil
}

// Fresh is ByID as the database has the client now.
func (p *Store) Fresh(ctx context.Context, id string) (*Client, error) {
	client := new(Client)
	if err := selectClients(p.Database.Reader(), p.Database.Kind, client).Where("id = ?", id).Scan(ctx); err != nil {
		return nil, fmt.Errorf("client: %w", storage.NotFound(err))
	}
	return client, nil
}
