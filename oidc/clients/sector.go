package clients

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
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
	c.Sector, err = sectorOf(c)
	return err
}

// sectorOf is the sector of an app with pairwise subjects. A host that answers for nobody, such as localhost, is none:
// apps that have nothing to do with each other would know people by the same name.
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

// CheckSector says, as an ErrClient, why a client that is complete may not count itself to the sector that it names:
// the list behind its sector_identifier_uri, which is fetched, lacks one of its redirect URIs (OpenID Connect Core,
// section 8.1). Where neither has changed since before, which is nil for a new client, nothing is fetched.
func (p *Store) CheckSector(ctx context.Context, client, before *Client) error {
	uri := client.SectorIdentifierURI
	if uri == "" || before != nil && before.SectorIdentifierURI == uri &&
		slices.Equal(before.RedirectURIs, client.RedirectURIs) {
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
