package clients

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/storage"
)

// Whom an app knows people as: OpenID Connect Core, section 8.
const (
	SubjectPublic   = "public"   // everybody by one name in all apps
	SubjectPairwise = "pairwise" // by one name in the apps of its sector, and by others elsewhere
)

// SubjectTypes are the values of subject_type.
var SubjectTypes = []string{SubjectPublic, SubjectPairwise}

const (
	sectorDocumentType = "application/json"
	maxSectorDocument  = 128 << 10 // bytes
)

// checkSubjects says what is wrong with whom the app wants to know people as, and finds out its sector: the host of
// sector_identifier_uri, or else the one that all redirect URIs share (OpenID Connect Core, section 8.1).
func checkSubjects(c *Client) (err error) {
	c.Sector = ""
	if !slices.Contains(SubjectTypes, c.SubjectType) {
		return fmt.Errorf("the subject type %q is not one of %s", c.SubjectType, strings.Join(SubjectTypes, ", "))
	}
	if c.SectorIdentifierURI != "" && !oidc.IsWebURL(c.SectorIdentifierURI) {
		return errors.New("the sector identifier URI must be an https URL")
	}
	if c.SubjectType == SubjectPublic {
		return nil
	}
	if c.Sector, err = sectorOf(c); err != nil {
		return err
	}
	return checkStrangersSector(c)
}

// checkStrangersSector says what an app that nobody vouches for may not have in a sector. What any program receives is
// nobody's to list, so anybody could join the sector by it; and logout tokens tell whom the sector knows a person as.
func checkStrangersSector(c *Client) error {
	if !c.IsStranger() {
		return nil
	}
	if n := slices.IndexFunc(c.RedirectURIs, IsAnyPrograms); n >= 0 {
		return fmt.Errorf("an app that registers itself cannot have pairwise subjects with the redirect URI %q: any "+
			"program on a person's machine can receive what is sent there, so no list says whose it is; use https URLs, or public subjects",
			c.RedirectURIs[n])
	}
	if c.SectorIdentifierURI == "" && !tellsSectorHost(c) {
		return fmt.Errorf("with pairwise subjects the back-channel logout URI must be on the host %s of the redirect URIs: "+
			"or use a sector_identifier_uri that lists it, too", c.Sector)
	}
	return nil
}

// tellsSectorHost tells whether logout tokens of the app, if it gets any, go to the host of its sector.
func tellsSectorHost(c *Client) bool {
	return c.BackchannelLogoutURI == "" || HostOf(c.BackchannelLogoutURI) == c.Sector
}

// sectorOf is the sector of an app with pairwise subjects. A host that answers for nobody, such as localhost, or that
// is another one elsewhere, is none: apps that have nothing to do with each other would know people by the same name.
func sectorOf(c *Client) (string, error) {
	if len(c.RedirectURIs) == 0 {
		return "", errors.New("an app with pairwise subjects needs a redirect URI: it says which sector the app belongs to")
	}
	if c.SectorIdentifierURI != "" {
		return HostOf(c.SectorIdentifierURI), nil
	}
	sector := HostOf(c.RedirectURIs[0])
	for _, uri := range c.RedirectURIs {
		if parsed, err := url.Parse(uri); err != nil || parsed.Scheme != "https" || oidc.IsLoopback(parsed) {
			return "", fmt.Errorf("with pairwise subjects the redirect URI %q says not which sector the app belongs to: "+
				"use https URLs, or a sector_identifier_uri that lists all redirect URIs", uri)
		}
		if HostOf(uri) != sector {
			return "", fmt.Errorf("with pairwise subjects all redirect URIs need the same host, and %s is not %s: "+
				"use a sector_identifier_uri that lists all of them", HostOf(uri), sector)
		}
	}
	if !namesOneHost(sector) {
		return "", fmt.Errorf("with pairwise subjects the host %q says not which sector the app belongs to, for elsewhere it "+
			"is another one: use a domain name, or a sector_identifier_uri that lists all redirect URIs", sector)
	}
	return sector, nil
}

// HostOf is the host of a URL, without its port, in the one spelling that is compared.
func HostOf(uri string) string {
	parsed, err := url.Parse(uri)
	if err != nil {
		return ""
	}
	return strings.TrimSuffix(strings.ToLower(parsed.Hostname()), ".")
}

// namesOneHost tells whether a host is the same wherever it is named: a public address, or a name with a domain.
func namesOneHost(host string) bool {
	if address, err := netip.ParseAddr(host); err == nil {
		return storage.IsPublicAddress(address.Unmap())
	}
	// browsers take a name that ends in a number for an address
	labels := strings.Split(host, ".")
	last := labels[len(labels)-1]
	return len(labels) > 1 && last != "" && (last[0] < '0' || last[0] > '9')
}

// AsksSector tells whether CheckSector would fetch something: it is new to this client, or another address is to be
// listed. before is nil for a new client.
func AsksSector(client, before *Client) bool {
	if client.SectorIdentifierURI == "" {
		return false
	}
	if before == nil || before.SectorIdentifierURI != client.SectorIdentifierURI ||
		!slices.Equal(before.RedirectURIs, client.RedirectURIs) {
		return true
	}
	return mustListLogout(client) &&
		(before.BackchannelLogoutURI != client.BackchannelLogoutURI || before.Sector != client.Sector)
}

// mustListLogout tells whether the sector must list where the app is told of logouts, too: nobody vouches for the app,
// and it is elsewhere than the list. (In frames nobody is told of by a sub, and they are on the origin of a redirect
// URI, which is listed.)
func mustListLogout(c *Client) bool { return c.IsStranger() && c.Sector != "" && !tellsSectorHost(c) }

// CheckSector says, as an ErrClient, why a client that is complete may not count itself to the sector that it names:
// the list behind its sector_identifier_uri, which is fetched, lacks one of its redirect URIs (OpenID Connect Core,
// section 8.1), or where an app that nobody vouches for is told of logouts. Where AsksSector says no, nothing is
// fetched.
func (p *Store) CheckSector(ctx context.Context, client, before *Client) error {
	if !AsksSector(client, before) {
		return nil
	}
	listed, err := p.fetchSector(ctx, client)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrClient, err)
	}
	for _, redirect := range client.RedirectURIs {
		if !slices.Contains(listed, redirect) {
			return fmt.Errorf("%w: the list at the sector_identifier_uri lacks the redirect URI %q", ErrClient, redirect)
		}
	}
	if mustListLogout(client) && !slices.Contains(listed, client.BackchannelLogoutURI) {
		return fmt.Errorf("%w: the list at the sector_identifier_uri lacks the back-channel logout URI %q, which is on another "+
			"host", ErrClient, client.BackchannelLogoutURI)
	}
	return nil
}

// fetchSector reads the list behind a sector_identifier_uri. An operator is told why it cannot be fetched; where
// others ask, the log is, for it says what there is in the operator's network.
func (p *Store) fetchSector(ctx context.Context, client *Client) ([]string, error) {
	document, err := p.documents.fetch(ctx, client, client.SectorIdentifierURI, sectorDocumentType, maxSectorDocument)
	switch {
	case err != nil && client.Origin == OriginOperator:
		return nil, fmt.Errorf("the sector_identifier_uri cannot be fetched: %w", err)
	case err != nil:
		p.log.WarnContext(ctx, "the sector identifier of an app could not be fetched, so it is refused",
			"host", HostOf(client.SectorIdentifierURI), "error", err)
		return nil, errors.New("the sector_identifier_uri cannot be fetched")
	}
	var listed []string
	if err := json.Unmarshal(document, &listed); err != nil || listed == nil {
		return nil, errors.New("at the sector_identifier_uri there is no JSON array of redirect URIs")
	}
	return listed, nil
}

// checkSectors is CheckSector for clients as they are declared.
func (p *Store) checkSectors(ctx context.Context, declared []Declaration) error {
	var faults []error
	for _, d := range declared {
		if d.Client.SectorIdentifierURI == "" {
			continue
		}
		before, err := p.Fresh(ctx, d.Client.ID)
		if err != nil && !errors.Is(err, storage.ErrNotFound) {
			return err
		}
		if err := p.CheckSector(ctx, d.Client, before); err != nil {
			faults = append(faults, fmt.Errorf("client %q: %w", d.Client.ID, err))
		}
	}
	return errors.Join(faults...)
}
