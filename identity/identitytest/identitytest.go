// Package identitytest puts the identity store together for tests, on a fresh database of each kind and with a clock
// that stands still. Begin with Each.
package identitytest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/pquerna/otp/totp"
	"github.com/riverqueue/river"
	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/identity/factor"
	"github.com/wicket-id/wicket/identity/password"
	"github.com/wicket-id/wicket/identity/signin"
	"github.com/wicket-id/wicket/identity/transfer"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/audit"
	"github.com/wicket-id/wicket/storage/cache"
	"github.com/wicket-id/wicket/storage/seal"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// HasEnded tells whether a session has ended.
func (h *Stack) HasEnded(t testing.TB, session *identity.Session) bool {
	t.Helper()
	row := new(identity.Session)
	if err := h.Database.Reader().NewSelect().Model(row).Where("id = ?", session.ID).Scan(t.Context()); err != nil {
		t.Fatal(err)
	}
	return row.EndedAt != nil
}

// Stack is a store on a fresh database whose clock stands still until a test moves it.
type Stack struct {
	*identity.Store

	Factors  *factor.Store
	SignIn   *signin.Store
	Transfer *transfer.Store

	Clock time.Time
}

const AlicePassword = "correct horse battery"

// laptop is where the people of the tests sit.
var Laptop = identity.Device{
	UserAgent: "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0", Language: "en", IP: "192.0.2.7",
}

// Each runs test with a store on SQLite and with one on PostgreSQL.
func Each(t *testing.T, test func(t *testing.T, h *Stack)) {
	t.Helper()
	storagetest.Each(t, func(t *testing.T, db *storage.Database) { test(t, New(t, db)) })
}

// New returns a store on that database.
func New(t testing.TB, db *storage.Database) *Stack {
	t.Helper()
	jobs, err := db.NewJobs(nil, nil, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	keys, err := seal.Parse(seal.NewMasterKey())
	if err != nil {
		t.Fatal(err)
	}
	party, err := factor.NewRelyingParty("localhost", "Wicket", []string{"http://localhost"}, factor.HardwareKeyPolicy{})
	if err != nil {
		t.Fatal(err)
	}
	h := &Stack{Clock: time.Date(2024, 5, 6, 7, 8, 9, 123456000, time.UTC)}
	now := func() time.Time { return h.Clock }
	h.Store = &identity.Store{
		Database: db, Cache: cache.NewLocal(now), Hasher: password.NewHasher(64, 1, 8, 30*time.Second), Now: now,
		Seal: keys, Jobs: jobs, Texts: true, TextRule: identity.TextRule{Daily: 1000}, SessionIdle: 30 * 24 * time.Hour,
	}
	h.Factors = &factor.Store{Store: h.Store, RelyingParty: party}
	h.SignIn = &signin.Store{
		KnownHasher: h.Hasher.Beside(4),
		Store:       h.Store, Factors: h.Factors, SignInDelay: time.Microsecond, AttemptsKept: 400 * 24 * time.Hour,
		SessionLifetime: 90 * 24 * time.Hour, MaxFailures: 10, LockDuration: 15 * time.Minute,
	}
	h.Transfer = &transfer.Store{Store: h.Store, Factors: h.Factors, SignIn: h.SignIn}
	return h
}

// Pass moves the clock on.
func (h *Stack) Pass(d time.Duration) { h.Clock = h.Clock.Add(d) }

// Register makes an account.
func (h *Stack) Register(t testing.TB, person identity.NewUser) *identity.User {
	t.Helper()
	user, err := h.Users().Create(t.Context(), person)
	if err != nil {
		t.Fatal(err)
	}
	return user
}

// Alice registers alice, whose e-mail is verified.
func (h *Stack) Alice(t testing.TB) *identity.User {
	t.Helper()
	return h.Register(t, identity.NewUser{
		Username: "Alice", Email: "alice@example.com", EmailVerified: true, Password: AlicePassword, Name: "Alice Example",
	})
}

// Enter signs somebody in, who must be let in.
func (h *Stack) Enter(t testing.TB, login, password string, current *identity.Session) (*identity.Session, string) {
	t.Helper()
	admission, err := h.SignIn.WithPassword(t.Context(), signin.Attempt{
		Login: login, Password: password, Device: Laptop, Current: current,
	})
	if err != nil {
		t.Fatalf("sign in as %s: %v", login, err)
	}
	return admission.Session, admission.Secret
}

// Proven is the proof that a person has just signed in, in two steps.
func (h *Stack) Proven(t testing.TB, user *identity.User) *identity.Reauthenticated {
	t.Helper()
	return h.Prove(t, NewSession(t, h.Store, user))
}

// NewSession returns a session that a person has just begun in two steps, whatever they have to show.
func NewSession(t testing.TB, s *identity.Store, user *identity.User) *identity.Session {
	t.Helper()
	user, err := s.Users().ByID(t.Context(), user.ID)
	if err != nil {
		t.Fatal(err)
	}
	now := s.Now()
	session := &identity.Session{
		ID: storage.NewID(), UserID: user.ID, User: user, SessionVersion: user.SessionVersion,
		SecretHash: storage.Digest(storage.NewSecret()), AMR: []string{"pwd", "otp", "mfa"}, ACR: identity.ACRMultiFactor,
		AuthTime: now, LastSeenAt: now, CreatedAt: now, ExpiresAt: now.Add(time.Hour),
	}
	err = s.Database.Write(t.Context(), func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.NewInsert().Model(session).Exec(ctx)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return session
}

// Prove is the proof that a session is fresh and strong, as it must be.
func (h *Stack) Prove(t testing.TB, session *identity.Session) *identity.Reauthenticated {
	t.Helper()
	by, err := h.Reauthenticate(t.Context(), session, Laptop)
	if err != nil {
		t.Fatal(err)
	}
	return by
}

// Try signs in and returns how that ended.
func (h *Stack) Try(t testing.TB, login, password string) error {
	t.Helper()
	_, err := h.SignIn.WithPassword(t.Context(), signin.Attempt{Login: login, Password: password, Device: Laptop})
	return err
}

// Read returns the row of a person as the database holds it.
func (h *Stack) Read(t testing.TB, id uuid.UUID) *identity.User {
	t.Helper()
	user, err := h.Users().ByID(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return user
}

// Lines returns the audit trail's entries about an entity and an action, oldest first.
func (h *Stack) Lines(t testing.TB, entity, action string) []audit.Entry {
	t.Helper()
	var entries []audit.Entry
	err := h.Database.Reader().NewSelect().Model(&entries).
		Where("entity = ? AND action = ?", entity, action).
		Order("id").Scan(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return entries
}

// AuditTrailLength counts all lines.
func (h *Stack) AuditTrailLength(t testing.TB) int64 {
	t.Helper()
	n, err := h.Database.Reader().NewSelect().Model((*audit.Entry)(nil)).Count(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// Exec runs a statement.
func (h *Stack) Exec(t testing.TB, statement string, args ...any) {
	t.Helper()
	err := h.Database.Write(t.Context(), func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.NewRaw(statement, args...).Exec(ctx)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Dump returns every value of a table as text, bytes both as they are and in hexadecimal.
func (h *Stack) Dump(t testing.TB, table string) string {
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

// Refused returns the attempts to sign in that failed.
func (h *Stack) Refused(t testing.TB) []signin.LoginAttempt {
	t.Helper()
	var attempts []signin.LoginAttempt
	if err := h.Database.Reader().NewSelect().Model(&attempts).
		Where("NOT success").
		Order("id").Scan(t.Context()); err != nil {
		t.Fatal(err)
	}
	return attempts
}

// Admitted signs somebody in from that device, who must be let in.
func (h *Stack) Admitted(t testing.TB, login string, device identity.Device) *signin.Outcome {
	t.Helper()
	admission, err := h.SignIn.WithPassword(t.Context(), signin.Attempt{
		Login: login, Password: AlicePassword, Device: device,
	})
	if err != nil {
		t.Fatalf("sign in as %s: %v", login, err)
	}
	return admission
}

// RefusedFrom lists the refused attempts to sign in that came from an address.
func (h *Stack) RefusedFrom(t testing.TB, device identity.Device) {
	t.Helper()
	if _, err := h.SignIn.WithPassword(
		t.Context(), signin.Attempt{Login: "alice", Password: AlicePassword, Device: device},
	); !errors.Is(err, signin.ErrRefused) {
		t.Errorf("a locked account lets in from there: %v", err)
	}
}

// Lock types wrong passwords for alice from a browser that nobody knows, until she is locked.
func (h *Stack) Lock(t testing.TB) {
	t.Helper()
	for range h.SignIn.MaxFailures {
		if err := h.Try(t, "alice", "wrong password"); !errors.Is(err, signin.ErrRefused) {
			t.Fatal(err)
		}
	}
}

// SentCodes returns the codes that were sent to a number, oldest first.
func (h *Stack) SentCodes(t testing.TB, number string) []string {
	t.Helper()
	list, err := h.Jobs.JobList(t.Context(), river.NewJobListParams().
		Kinds(identity.Message{}.Kind()).
		OrderBy(river.JobListOrderByID, river.SortOrderAsc).
		First(1000))
	if err != nil {
		t.Fatal(err)
	}
	var codes []string
	for _, job := range list.Jobs {
		var message identity.Message
		if err := json.Unmarshal(job.EncodedArgs, &message); err != nil {
			t.Fatal(err)
		}
		if message.Channel != "sms" || message.To != number {
			continue
		}
		code, err := h.Seal.Open(identity.SealForMessages, message.Secret)
		if err != nil || strings.Contains(string(job.EncodedArgs), string(code)) ||
			message.Name != identity.MessageVerifyPhone || message.Until.IsZero() {
			t.Fatalf("%v: %s", err, job.EncodedArgs)
		}
		codes = append(codes, string(code))
	}
	return codes
}

// AddPhone claims a number and returns it with the code that was sent.
func (h *Stack) AddPhone(t testing.TB, user *identity.User, number string) (*identity.Phone, string) {
	t.Helper()
	phone, err := h.Phones().Add(t.Context(), h.Proven(t, user), number)
	if err != nil {
		t.Fatal(err)
	}
	codes := h.SentCodes(t, phone.Number)
	if len(codes) == 0 {
		t.Fatal("no code was sent")
	}
	return phone, codes[len(codes)-1]
}

// Verified claims a number and verifies it.
func (h *Stack) Verified(t testing.TB, user *identity.User, number string) *identity.Phone {
	t.Helper()
	phone, code := h.AddPhone(t, user, number)
	phone, err := h.Phones().Verify(t.Context(), h.Proven(t, user), phone.ID, code)
	if err != nil {
		t.Fatal(err)
	}
	return phone
}

// Code is what an app shows at that time; steps away from it, in steps of thirty seconds.
func (h *Stack) Code(t testing.TB, secret string, steps int) string {
	t.Helper()
	code, err := totp.GenerateCode(secret, h.Clock.Add(time.Duration(steps)*30*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	return code
}

// App adds an authenticator app to the account of a session, and returns its secret. The clock is a minute on then.
func (h *Stack) App(t testing.TB, session *identity.Session) string {
	t.Helper()
	setup, err := h.Factors.TOTPs().Begin(t.Context(), session.User, "Wicket")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.Factors.TOTPs().Confirm(
		t.Context(), h.Prove(t, session), setup.ID, h.Code(t, setup.Secret, 0), "Phone",
	); err != nil {
		t.Fatal(err)
	}
	h.Pass(time.Minute)
	return setup.Secret
}

// Asked signs alice in with her password and returns the question for a second step.
func (h *Stack) Asked(t testing.TB, device identity.Device) *signin.SecondStep {
	t.Helper()
	admission := h.Admitted(t, "alice", device)
	if admission.Session != nil || admission.SecondStep == "" {
		t.Fatalf("no second step was asked for: %+v", admission)
	}
	step, err := h.SignIn.SecondSteps().Open(t.Context(), admission.SecondStep)
	if err != nil {
		t.Fatal(err)
	}
	return step
}

// Answer answers the question for a second step with a code.
func (h *Stack) Answer(t testing.TB, step *signin.SecondStep, code string) (*signin.Outcome, error) {
	t.Helper()
	return h.SignIn.SecondSteps().Finish(t.Context(), step, factor.Answer{Code: code}, Laptop, nil, false)
}

// Strengthened answers for a session that was made with the password alone. The clock is a minute on then.
func (h *Stack) Strengthened(t testing.TB, session *identity.Session, secret string) (*identity.Session, string) {
	t.Helper()
	step, err := h.SignIn.SecondSteps().ForSession(t.Context(), session)
	if err != nil {
		t.Fatal(err)
	}
	cookie, err := h.SignIn.SecondSteps().Strengthen(
		t.Context(), step, session, factor.Answer{Code: h.Code(t, secret, 0)}, Laptop,
	)
	if err != nil {
		t.Fatal(err)
	}
	live, err := h.Sessions().BySecret(t.Context(), cookie)
	if err != nil {
		t.Fatal(err)
	}
	h.Pass(time.Minute)
	return live, cookie
}

// IsLive tells whether a cookie still opens a session.
func (h *Stack) IsLive(t testing.TB, secret string) bool {
	t.Helper()
	_, err := h.Sessions().BySecret(t.Context(), secret)
	if err != nil && !errors.Is(err, storage.ErrNotFound) {
		t.Fatal(err)
	}
	return err == nil
}
