package tokens

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/storage"
)

// PairwiseSubject is whom the apps of one sector know a person as: OpenID Connect Core, section 8.1. It is random, so
// that it tells nothing and stays when keys are replaced. It goes with the person.
type PairwiseSubject struct {
	bun.BaseModel `bun:"table:pairwise_subjects,alias:pairwise"`

	UserID    uuid.UUID `bun:"user_id,pk,type:uuid"`
	Sector    string    `bun:"sector,pk"` // see clients.Client.Sector
	Subject   string    `bun:"sub"`
	CreatedAt time.Time `bun:"created_at"`
}

// sectorPerson is a person in a sector.
type sectorPerson struct {
	sector string
	userID uuid.UUID
}

// maxSubjects is how many pairwise subjects a process remembers. Each is the same as long as the person exists.
const maxSubjects = 20_000

func newSubjects() *lru.Cache[sectorPerson, string] {
	subjects, err := lru.New[sectorPerson, string](maxSubjects)
	if err != nil {
		panic(err) // only for a size below one
	}
	return subjects
}

// Subject is whom an app knows a person as, the sub of all that it is told: OpenID Connect Core, section 8. With
// pairwise subjects one is made when it is first needed; of many that ask at once, all get the same. It returns
// storage.ErrNotFound where there is no such person any more.
func (p *Service) Subject(ctx context.Context, client *clients.Client, userID uuid.UUID) (string, error) {
	if client.Sector == "" {
		return userID.String(), nil
	}
	who := sectorPerson{client.Sector, userID}
	if subject, ok := p.subjects.Get(who); ok {
		return subject, nil
	}
	subject, err := readSubject(ctx, p.Database.Reader(), who)
	if errors.Is(err, storage.ErrNotFound) {
		subject, err = p.makeSubject(ctx, who)
	}
	if err != nil {
		return "", fmt.Errorf("pairwise subject: %w", err)
	}
	p.subjects.Add(who, subject)
	return subject, nil
}

func readSubject(ctx context.Context, db bun.IDB, who sectorPerson) (subject string, err error) {
	err = db.NewSelect().Model((*PairwiseSubject)(nil)).Column("sub").
		Where("user_id = ? AND sector = ?", who.userID, who.sector).Scan(ctx, &subject)
	return subject, storage.NotFound(err)
}

// makeSubject writes the subject of a person, unless another request has done so meanwhile. It returns
// storage.ErrNotFound where the person was erased.
func (p *Service) makeSubject(ctx context.Context, who sectorPerson) (string, error) {
	now, made := p.Now(), storage.NewSecret()
	return storage.Write(ctx, p.Database, func(ctx context.Context, tx bun.Tx) (subject string, err error) {
		err = tx.NewRaw(`INSERT INTO pairwise_subjects (user_id, sector, sub, created_at)
			SELECT id, ?, ?, ? FROM users WHERE id = ?
			ON CONFLICT (user_id, sector) DO NOTHING RETURNING sub`, who.sector, made, now, who.userID).Scan(ctx, &subject)
		if errors.Is(storage.NotFound(err), storage.ErrNotFound) {
			return readSubject(ctx, tx, who)
		}
		return subject, err
	})
}

// PersonKnownAs returns whom apps of some sector know by that pairwise subject, or storage.ErrNotFound.
func (p *Service) PersonKnownAs(ctx context.Context, subject string) (userID uuid.UUID, err error) {
	err = p.Database.Reader().NewSelect().Model((*PairwiseSubject)(nil)).Column("user_id").
		Where("sub = ?", subject).Scan(ctx, &userID)
	if err != nil {
		return uuid.Nil, fmt.Errorf("person of a pairwise subject: %w", storage.NotFound(err))
	}
	return userID, nil
}

// PairwiseSubjects lists whom apps know a person as, where each sector knows them as somebody else.
func (p *Service) PairwiseSubjects(ctx context.Context, userID uuid.UUID) ([]PairwiseSubject, error) {
	var subjects []PairwiseSubject
	err := p.Database.Reader().NewSelect().Model(&subjects).Where("user_id = ?", userID).Order("sector").Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("pairwise subjects: %w", err)
	}
	return subjects, nil
}
