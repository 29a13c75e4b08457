package operation

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	gooidc "github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"
	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// clusterLoad is apps and people that work through the proxy, and what each of them was told. The apps check every ID
// token with go-oidc, which keeps the keys that it has seen.
type clusterLoad struct {
	*cluster
	client      harness.Client
	browsers    [8]*harness.Browser
	verifiers   [8]*gooidc.IDTokenVerifier
	families    [8][]*family
	signedBy    sync.Map // the key ids of ID tokens, and how many had them
	verified    atomic.Int32
	interrupted atomic.Int32 // requests that got no answer of Wicket's
	over        atomic.Bool
	settled     atomic.Int32
	people      sync.WaitGroup
}

// newLoad is people who are signed in and apps that have seen the keys of now.
func (c *cluster) newLoad(t *testing.T) *clusterLoad {
	t.Helper()
	l := &clusterLoad{cluster: c, client: c.AddClient(t, nil)}
	for i := range l.browsers {
		provider, err := gooidc.NewProvider(t.Context(), c.Issuer)
		if err != nil {
			t.Fatal(err)
		}
		l.verifiers[i] = provider.Verifier(&gooidc.Config{
			ClientID: l.client.ID, SupportedSigningAlgs: []string{gooidc.ES256},
		})
		l.browsers[i] = c.NewBrowser(t)
		l.verify(t, i, c.Redeem(t, l.client, l.browsers[i].Code(t, l.client, nil)).JSON)
	}
	return l
}

// verify is what app i does with the ID token of an answer.
func (l *clusterLoad) verify(t *testing.T, i int, tokens map[string]any) {
	raw, _ := tokens["id_token"].(string)
	if _, err := l.verifiers[i].Verify(t.Context(), raw); err != nil {
		t.Errorf("app %d: %v", i, err)
		return
	}
	l.verified.Add(1)
	n, _ := l.signedBy.LoadOrStore(keyOf(t, raw), new(atomic.Int32))
	n.(*atomic.Int32).Add(1)
}

// keyOf is the id of the key that signed a JWT.
func keyOf(t *testing.T, token string) string {
	signed, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.ES256})
	if err != nil {
		t.Errorf("not a JWT: %v", err)
		return ""
	}
	return signed.Signatures[0].Protected.KeyID
}

// start sets the people to work.
func (l *clusterLoad) start(t *testing.T) {
	for i, b := range l.browsers {
		watch := watch{
			answered: func(tokens map[string]any) { l.verify(t, i, tokens) },
			interrupted: func(what string) {
				if l.interrupted.Add(1) <= 20 {
					t.Logf("app %d got no answer: %s", i, what)
				}
			},
		}
		l.people.Go(func() { l.families[i] = work(t, b, l.client, &l.over, &l.settled, watch) })
	}
	t.Cleanup(func() { // where the test gives up
		l.over.Store(true)
		l.people.Wait()
	})
	l.progress(t)
}

// progress waits until the load has got on.
func (l *clusterLoad) progress(t *testing.T) {
	t.Helper()
	before := l.settled.Load()
	storagetest.Eventually(t, 30*time.Second, "there is load", func() bool { return l.settled.Load() >= before+10 })
}

// stop ends the load and asks Wicket whether it stands by all that it said meanwhile.
func (l *clusterLoad) stop(t *testing.T) {
	t.Helper()
	l.over.Store(true)
	l.people.Wait()
	total := checkAll(t, l.families[:], l.client, l.Server)
	t.Logf(
		"%d sign-ins with all their answers, %d ID tokens verified; checked afterwards: %+v", l.settled.Load(),
		l.verified.Load(), total,
	)
	if total.Kept == 0 || total.CodesKept == 0 {
		t.Error("there was hardly any load")
	}
	nothingHalfWritten(t, l.line.Environment()["WICKET_DATABASE_URL"])
}

// rotateKeys does what an operator does who types wicket key rotate, and makes a few seconds of the fifteen minutes
// that pass until the new keys sign: just more than the replicas need to learn of them. It returns the id of the new
// key and when it signs.
func (c *cluster) rotateKeys(t *testing.T) (kid string, from time.Time) {
	t.Helper()
	var made []harness.PrintedKey
	c.line.JSON(t, &made, "", "key", "rotate")
	i := slices.IndexFunc(made, func(key harness.PrintedKey) bool { return key.Alg == string(jose.ES256) })
	from = time.Now().UTC().Add(5 * time.Second)
	err := c.Database.Write(t.Context(), func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.NewUpdate().Table("signing_keys").Set("signs_from = ?", from).Where("kid = ?", made[i].KID).Exec(ctx)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return made[i].KID, from
}

// rotatedUnderLoad waits until every replica signs with the new key. No app has met a token meanwhile that it could not
// verify: verify says so.
func (l *clusterLoad) rotatedUnderLoad(t *testing.T, kid string, from time.Time) {
	count := func() int32 {
		if n, met := l.signedBy.Load(kid); met {
			return n.(*atomic.Int32).Load()
		}
		return 0
	}
	if time.Now().Before(from) && count() > 0 {
		t.Error("the new key signed before its time")
	}
	before := l.verified.Load() - count()
	storagetest.Eventually(t, time.Until(from)+30*time.Second, "all sign with the new key", func() bool {
		return count() >= 50
	})
	for i := range l.replicas {
		there := l.through(i)
		b := at(t, l.browsers[i], there)
		raw, _ := there.Redeem(t, l.client, b.Code(t, l.client, nil)).JSON["id_token"].(string)
		if keyOf(t, raw) != kid {
			t.Errorf("replica %d signs with the old key still", i)
		}
	}
	if before == 0 {
		t.Error("no app had met the old key")
	}
	l.nothingInterrupted(t)
}

func (l *clusterLoad) nothingInterrupted(t *testing.T) {
	t.Helper()
	if n := l.interrupted.Load(); n > 0 {
		t.Errorf("%d requests were not answered", n)
	}
}

// rolledUnderLoad rolls out a new version: one replica after the other stops and another one takes its place. No
// request fails.
func (l *clusterLoad) rolledUnderLoad(t *testing.T) {
	for i := range l.replicas {
		began := time.Now()
		l.roll(t, i)
		t.Logf("replica %d rolled in %s", i, time.Since(began).Round(time.Millisecond))
		l.progress(t)
	}
	l.nothingInterrupted(t)
}

// killedUnderLoad kills a replica. What was sent to it and not answered is in doubt: at the most one request of each
// app. Everything else is answered.
func (l *clusterLoad) killedUnderLoad(t *testing.T) {
	const i = 0
	before := l.interrupted.Load()
	l.replicas[i].Kill()
	l.replicas[i].NoFaults(t)
	l.progress(t)
	doubtful := int(l.interrupted.Load() - before)
	t.Logf("%d requests unanswered", doubtful)
	if doubtful > len(l.browsers) {
		t.Errorf("%d apps had %d requests unanswered when one replica of three died", len(l.browsers), doubtful)
	}
	l.begin(i)
	l.awaitReady(t, i)
	l.proxy.awaitTrust(t, l.addresses[i])
	l.progress(t)
}
