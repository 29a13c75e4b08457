// Package refusals keeps what apps and people were refused, and explains it to those who can mend it: what was expected
// and what came, the likely cause, and the one change of the app that would let it in. Whoever answers a request notes
// a refusal with Recorder; those who administer read them with Store.
package refusals

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/audit"
	"github.com/wicket-id/wicket/storage/cache"
)

// Record is something that was refused. It holds no secret: who notes it leaves out what may be one (oidc.SentURI).
type Record struct {
	bun.BaseModel `bun:"table:refusals,alias:refusal"`

	ID          uuid.UUID     `bun:"id,pk,type:uuid"`
	Reference   string        `bun:"reference"` // see ReferenceOf
	At          time.Time     `bun:"at"`
	Place       string        `bun:"place"`       // see Places
	ClientID    string        `bun:"client_id"`   // of an app that is registered; or empty
	Error       string        `bun:"error"`       // what was told
	Reason      string        `bun:"reason"`      // see oidc.Reason
	Description string        `bun:"description"` // of the error
	Expected    []string      `bun:"expected,type:jsonb"`
	Got         []string      `bun:"got,type:jsonb"`
	UserID      uuid.NullUUID `bun:"user_id,type:uuid"`
	IP          string        `bun:"ip"`
	RequestID   string        `bun:"request_id"`
}

// Where something was refused.
const (
	AtAuthorize     = "authorize" // an app that sent a person, or the person on the way to it
	AtPAR           = "par"
	AtToken         = "token"
	AtIntrospection = "introspection"
	AtRevocation    = "revocation"
	AtDevice        = "device" // a device without a browser
	AtRegistration  = "registration"
	AtFederation    = "federation" // a provider upstream
	AtAccess        = "access"     // a person who may not use the app
	AtLogout        = "logout"
)

// Places are all of them.
var Places = []string{
	AtAuthorize, AtPAR, AtToken, AtIntrospection, AtRevocation, AtDevice, AtRegistration, AtFederation, AtAccess, AtLogout,
}

const (
	referenceSize = 8   // characters of a reference: enough to tell the refusals of some days apart
	maxText       = 200 // bytes kept of a text
	maxTexts      = 20  // kept of a list
)

// ReferenceOf is what a person reads out of a request with that id, to whoever runs the app or this server: how the id
// begins, so that it is found in the log, too.
func ReferenceOf(requestID string) string { return requestID[:min(len(requestID), referenceSize)] }

// ReadReference reads a reference as somebody has typed it, or a whole request id: in any case, in groups, and with the
// digits that are taken for the letters which look like them. Base 32 (RFC 4648) has neither 0 nor 1 nor 8.
// What cannot be in one becomes a character that is in none.
func ReadReference(typed string) string {
	read := strings.NewReplacer(" ", "", "-", "", "0", "O", "1", "I", "8", "B").Replace(strings.ToUpper(typed))
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(base32, r) {
			return r
		}
		return '?'
	}, read)
}

const base32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"

// MayBeReference tells whether somebody may have typed a reference or a request id.
func MayBeReference(typed string) bool {
	read := ReadReference(typed)
	return len(read) >= referenceSize && !strings.Contains(read, "?")
}

// kept is a text as it is kept: valid, without control characters, and not long.
func kept(text string) string {
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == utf8.RuneError {
			return ' '
		}
		return r
	}, text[:min(len(text), 4*maxText)])
	if len(text) <= maxText {
		return text
	}
	const cutOff = "…"
	end := maxText - len(cutOff)
	for !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + cutOff
}

func keptAll(texts []string) []string {
	all := []string{}
	for _, text := range texts[:min(len(texts), maxTexts)] {
		if text != "" {
			all = append(all, kept(text))
		}
	}
	return all
}

// Recorder notes what is refused: a sample, so that nobody can fill the database with it. Make one with NewRecorder. A
// nil *Recorder notes nothing.
type Recorder struct {
	Allowances Allowances // of this process; set before it is used

	database *storage.Database
	now      func() time.Time
	log      *slog.Logger
	spent    *cache.Local

	mu      sync.Mutex
	pending []*Record
	writing chan struct{} // closed when nothing is pending any more; nil: nothing is
}

// Allowances say how many refusals are noted. A network has less than an app, so that none alone can use up what there
// is for an app.
type Allowances struct {
	Network cache.Rate // of each network; see allows
	Cause   cache.Rate // of each app and reason
	All     cache.Rate
}

var usualAllowances = Allowances{
	Network: cache.Rate{N: 20, Per: time.Minute},
	Cause:   cache.Rate{N: 30, Per: time.Minute},
	All:     cache.Rate{N: 120, Per: time.Minute},
}

const (
	maxPending    = 256 // refusals that wait to be written
	writePatience = 10 * time.Second
)

// NewRecorder returns a recorder that writes into a database.
func NewRecorder(database *storage.Database, now func() time.Time, log *slog.Logger) *Recorder {
	return &Recorder{
		Allowances: usualAllowances, database: database, now: now, log: log, spent: cache.NewLocal(now),
	}
}

// What becomes of a refusal, for metrics.
const (
	noted   = "noted"
	skipped = "skipped" // there were too many like it
	dropped = "dropped" // the database is too slow, or away
)

// Note notes a refusal of the request of ctx, which says where it comes from and who acts. It does not wait for the
// database, and nobody learns whether it succeeds: what is refused is refused without it.
func (r *Recorder) Note(ctx context.Context, refused Record) {
	if r == nil {
		return
	}
	actor := audit.ActorOf(ctx)
	refused.ID, refused.At, refused.IP = storage.NewID(), r.now(), actor.IP
	refused.RequestID, refused.Reference = actor.RequestID, ReferenceOf(actor.RequestID)
	if id, isPerson := strings.CutPrefix(actor.Name, "user:"); isPerson {
		refused.UserID.UUID, _ = uuid.Parse(id)
		refused.UserID.Valid = refused.UserID.UUID != uuid.Nil
	}
	refused.Error, refused.Description = kept(refused.Error), kept(refused.Description)
	refused.Expected, refused.Got = keptAll(refused.Expected), keptAll(refused.Got)
	outcome := skipped
	if r.allows(ctx, &refused) {
		outcome = r.enqueue(context.WithoutCancel(ctx), &refused)
	}
	storage.CountEvent(ctx, "refusals", refused.Place, outcome)
}

// allows tells whether there are not too many refusals like this one already.
func (r *Recorder) allows(ctx context.Context, refused *Record) bool {
	for i, network := range (identity.Device{IP: refused.IP}).Networks() {
		rate := r.Allowances.Network
		rate.N *= int64(i + 1) // a wider one may be of several subscribers; the widest still gets no more than half of all
		if r.spent.Take(ctx, "network "+network, rate) > 0 {
			return false
		}
	}
	return r.spent.Take(ctx, "cause "+refused.Reason+" "+refused.ClientID, r.Allowances.Cause) == 0 &&
		r.spent.Take(ctx, "all", r.Allowances.All) == 0
}

// enqueue hands a refusal to what writes them, which runs only while there are some.
func (r *Recorder) enqueue(ctx context.Context, refused *Record) (outcome string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.pending) >= maxPending {
		return dropped
	}
	r.pending = append(r.pending, refused)
	if r.writing == nil {
		r.writing = make(chan struct{})
		go r.write(ctx)
	}
	return noted
}

// write writes what is pending, one by one: the person of one may have been erased meanwhile.
func (r *Recorder) write(ctx context.Context) {
	for {
		r.mu.Lock()
		batch := r.pending
		r.pending = nil
		if len(batch) == 0 {
			close(r.writing)
			r.writing = nil
			r.mu.Unlock()
			return
		}
		r.mu.Unlock()
		for _, refused := range batch {
			writing, cancel := context.WithTimeout(ctx, writePatience)
			err := r.database.Append(writing, r.database.Draft().NewInsert().Model(refused).Returning("NULL"))
			cancel()
			if err != nil {
				storage.CountEvent(ctx, "refusals", refused.Place, dropped)
				r.log.Warn("a refusal was not noted", "request_id", refused.RequestID, "error", err)
			}
		}
	}
}

// Drain waits until all that was noted is written, or ctx ends.
func (r *Recorder) Drain(ctx context.Context) {
	r.mu.Lock()
	writing := r.writing
	r.mu.Unlock()
	if writing == nil {
		return
	}
	select {
	case <-writing:
	case <-ctx.Done():
	}
}

// Of returns what was refused to a person or in their presence, the newest first, so many at the most.
func (r *Recorder) Of(ctx context.Context, userID uuid.UUID, limit int) ([]Record, error) {
	var found []Record
	err := r.database.Reader().NewSelect().Model(&found).Where("user_id = ?", userID).
		Order("id DESC").Limit(int64(limit)).Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("refusals: %w", err)
	}
	return found, nil
}
