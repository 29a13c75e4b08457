package identity

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/audit"
	"github.com/wicket-id/wicket/storage/cache"
	"github.com/wicket-id/wicket/storage/seal"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// testHouse is a store on a fresh database whose clock stands still until a test moves it.
type testHouse struct {
	*Store
	clock time.Time
}

const alicePassword = "correct horse battery"

// laptop is where the people of the tests sit.
var laptop = Device{UserAgent: "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0", Language: "en", IP: "192.0.2.7"}

func eachHouse(t *testing.T, test func(t *testing.T, h *testHouse)) {
	t.Helper()
	storagetest.Each(t, func(t *testing.T, db *storage.Database) { test(t, newTestHouse(t, db)) })
}

func newTestHouse(t testing.TB, db *storage.Database) *testHouse {
	t.Helper()
	jobs, err := db.NewJobs(nil, nil, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	seal, err := seal.Parse(seal.NewMasterKey())
	if err != nil {
		t.Fatal(err)
	}
	party, err := NewRelyingParty("localhost", "Wicket", []string{"http://localhost"}, HardwareKeyPolicy{})
	if err != nil {
		t.Fatal(err)
	}
	h := &testHouse{clock: time.Date(2024, 5, 6, 7, 8, 9, 123456000, time.UTC)}
	now := func() time.Time { return h.clock }
	h.Store = &Store{
		Database: db, Memory: cache.NewLocal(now), Hasher: NewHasher(64, 1, 8, 30*time.Second), Now: now, Seal: seal, Jobs: jobs, RelyingParty: party, Texts: true,
		SignInDelay: time.Microsecond, AttemptsKept: 400 * 24 * time.Hour,
		SessionLifetime: 90 * 24 * time.Hour, SessionIdle: 30 * 24 * time.Hour, MaxFailures: 10, LockDuration: 15 * time.Minute,
	}
	return h
}

func (h *testHouse) pass(d time.Duration) { h.clock = h.clock.Add(d) }

func (h *testHouse) register(t testing.TB, person NewUser) *User {
	t.Helper()
	user, err := h.CreateUser(t.Context(), person)
	if err != nil {
		t.Fatal(err)
	}
	return user
}

// alice registers alice, whose e-mail is verified.
func (h *testHouse) alice(t testing.TB) *User {
	t.Helper()
	return h.register(t, NewUser{Username: "Alice", Email: "alice@example.com", EmailVerified: true, Password: alicePassword, Name: "Alice Example"})
}

// enter signs somebody in, who must be let in.
func (h *testHouse) enter(t testing.TB, login, password string, current *Session) (*Session, string) {
	t.Helper()
	admission, err := h.SignIn(t.Context(), SignIn{Login: login, Password: password, Device: laptop, Current: current})
	if err != nil {
		t.Fatalf("sign in as %s: %v", login, err)
	}
	return admission.Session, admission.Secret
}

// proven is the proof that a person has just signed in.
func proven(user *User) *Reauthenticated {
	return &Reauthenticated{&Session{UserID: user.ID, User: user}}
}

// try signs in and returns how that ended.
func (h *testHouse) try(t testing.TB, login, password string) error {
	t.Helper()
	_, err := h.SignIn(t.Context(), SignIn{Login: login, Password: password, Device: laptop})
	return err
}

// read returns the row of a person as the database holds it.
func (h *testHouse) read(t testing.TB, id uuid.UUID) *User {
	t.Helper()
	user, err := h.User(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return user
}

// lines returns the ledger's lines about an entity and an action, oldest first.
func (h *testHouse) lines(t testing.TB, entity, action string) []audit.Entry {
	t.Helper()
	var entries []audit.Entry
	err := h.Database.Reader().NewSelect().Model(&entries).Where("entity = ? AND action = ?", entity, action).Order("id").Scan(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return entries
}

// ledgerLength counts all lines.
func (h *testHouse) ledgerLength(t testing.TB) int64 {
	t.Helper()
	n, err := h.Database.Reader().NewSelect().Model((*audit.Entry)(nil)).Count(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func (h *testHouse) exec(t testing.TB, statement string, args ...any) {
	t.Helper()
	err := h.Database.Write(t.Context(), func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.NewRaw(statement, args...).Exec(ctx)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// dump returns every value of a table as text, bytes both as they are and in hexadecimal.
func (h *testHouse) dump(t testing.TB, table string) string {
	t.Helper()
	rows, err := h.Database.Reader().QueryContext(t.Context(), "SELECT * FROM "+table)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	for rows.Next() {
		values, into := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		for i, value := range values {
			if raw, ok := value.([]byte); ok {
				value = fmt.Sprintf("%s %x", raw, raw)
			}
			fmt.Fprintf(&text, "%s=%v ", columns[i], value)
		}
		text.WriteByte('\n')
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return text.String()
}

// refused returns the attempts to sign in that failed.
func (h *testHouse) refused(t testing.TB) []LoginAttempt {
	t.Helper()
	var attempts []LoginAttempt
	if err := h.Database.Reader().NewSelect().Model(&attempts).Where("NOT success").Order("id").Scan(t.Context()); err != nil {
		t.Fatal(err)
	}
	return attempts
}

// askForReset asks a person for a second factor before they choose another password.
func askForReset(s *Store, user *User) *SecondStep { return s.askFor(ToReset, firstStep{user: user}) }
