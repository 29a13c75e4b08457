package cache

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
	"go.opentelemetry.io/otel/attribute"

	"github.com/wicket-id/wicket/storage"
)

// Redis is the Cache that replicas share.
//
// Redis may be slow, gone or emptied at any moment. So whatever is asked is asked of this process's own memory too:
// alone while Redis is away, which then holds every limit for this process. The first question that Redis leaves
// unanswered for a tenth of a second declares it away; no request waits for it again until a look in the background,
// four times a second, finds that it answers. What it missed and would mislead others, it is told before it is trusted
// again.
type Redis struct {
	Redis    redis.UniversalClient
	Patience time.Duration // what a question may take, all told; set before the first

	options   atomic.Pointer[RedisOptions]
	local     *Local
	namespace string
	log       *slog.Logger
	away      atomic.Bool
	asked     atomic.Int64
	failed    atomic.Int64

	closing context.Context
	close   context.CancelFunc
	looking sync.WaitGroup

	mu     sync.Mutex
	owed   []func(ctx context.Context) error // what Redis missed
	toldAt time.Time                         // when the log last said that it is away
	lost   int                               // how often it was lost since
}

const (
	redisPrefix = "wicket:"
	lookEvery   = 250 * time.Millisecond
	maxOwed     = 10_000 // more than a process does while Redis restarts; most of it lapses within minutes
	toldEvery   = time.Minute
)

// RedisState is how Redis is, for metrics.
type RedisState struct {
	Away          bool
	Asked, Failed int64 // questions that were put to Redis since the start, and those that it left unanswered
}

// NewRedis returns the memory that all processes with the same namespace share. It takes Redis as it is: where it
// does not answer, it is away, and the log says why.
func NewRedis(
	ctx context.Context, options *RedisOptions, namespace string, now func() time.Time, log *slog.Logger,
) *Redis {
	m := &Redis{Patience: redisPatience, local: NewLocal(now), namespace: namespace, log: log}
	m.options.Store(options)
	m.Redis = dialRedis(
		options, func() (username, password string) { o := m.options.Load(); return o.Username, o.Password },
	)
	m.closing, m.close = context.WithCancel(context.WithoutCancel(ctx))
	if err := probeRedis(ctx, m.Redis); err != nil {
		m.lose(err)
	}
	return m
}

// Adopt opens the next connections with the name and the password of options; those that are open stay, and so do the
// hosts.
func (m *Redis) Adopt(options *RedisOptions) { m.options.Store(options) }

// Close ends the connections.
func (m *Redis) Close() error {
	m.close()
	m.looking.Wait()
	return m.Redis.Close()
}

// State tells how it is.
func (m *Redis) State() RedisState {
	return RedisState{Away: m.away.Load(), Asked: m.asked.Load(), Failed: m.failed.Load()}
}

var (
	countScript = redis.NewScript(`
local n = redis.call('INCR', KEYS[1])
if n == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
return n`)

	uncountScript = redis.NewScript(`
if tonumber(redis.call('GET', KEYS[1]) or 0) > 0 then redis.call('DECR', KEYS[1]) end
return 0`)

	// It takes as many as it may, ARGV[3] or one, and returns how many, or how long to wait as a negative number. The
	// clock is Redis's, so that replicas whose clocks differ spend from one allowance.
	spendScript = redis.NewScript(`
local interval, capacity, taken = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local full = math.max(now, tonumber(redis.call('GET', KEYS[1]) or 0))
if full + taken * interval - now > capacity then taken = 1 end
full = full + taken * interval
local wait = full - now - capacity
if wait > 0 then return -wait end
redis.call('SET', KEYS[1], string.format('%.0f', full), 'PX', math.ceil((full - now) / 1000))
return taken`)
)

// Count implements Cache.
func (m *Redis) Count(ctx context.Context, key string, window time.Duration) int64 {
	own := m.local.Count(ctx, key, window)
	n, err := ask(ctx, m, func(ctx context.Context) (int64, error) {
		return countScript.Run(ctx, m.Redis, m.keys(key), max(1, window.Milliseconds())).Int64()
	})
	if err != nil {
		return own
	}
	return n
}

// Peek implements Cache.
func (m *Redis) Peek(ctx context.Context, key string) int64 {
	n, err := ask(ctx, m, func(ctx context.Context) (int64, error) {
		n, err := m.Redis.Get(ctx, m.keys(key)[0]).Int64()
		if errors.Is(err, redis.Nil) {
			return 0, nil
		}
		return n, err
	})
	if err != nil {
		return m.local.Peek(ctx, key)
	}
	return n
}

// Uncount implements Cache.
func (m *Redis) Uncount(ctx context.Context, key string) {
	m.local.Uncount(ctx, key)
	_, _ = ask(ctx, m, func(ctx context.Context) (any, error) {
		return uncountScript.Run(ctx, m.Redis, m.keys(key)).Result()
	})
}

// Forget implements Cache.
func (m *Redis) Forget(ctx context.Context, key string) {
	m.local.Forget(ctx, key)
	forget := func(ctx context.Context) error { return m.Redis.Del(ctx, m.keys(key)[0]).Err() }
	if _, err := ask(ctx, m, func(ctx context.Context) (any, error) { return nil, forget(ctx) }); err != nil {
		m.owe(forget)
	}
}

// shares is into how many parts a large allowance is cut.
const shares = 1000

// Take implements Cache. Who has spent what this process allows by itself need not ask further. Of a large allowance a
// process takes a thousandth at a time and spends that by itself: no replica gets more than there is, and few requests
// ask Redis.
func (m *Redis) Take(ctx context.Context, key string, rate Rate) (wait time.Duration) {
	purse := "purse of " + key
	if wait := m.local.Take(ctx, key, rate); wait > 0 || m.local.takeShare(purse) {
		return wait
	}
	taken, err := ask(ctx, m, func(ctx context.Context) (int64, error) {
		return spendScript.Run(
			ctx, m.Redis, m.keys(key), rate.interval().Microseconds(), rate.capacity().Microseconds(), max(1, rate.N/shares),
		).Int64()
	})
	if err != nil {
		return 0
	}
	if taken > 1 {
		m.local.put(purse, taken-1, rate.Per)
	}
	return time.Duration(max(0, -taken)) * time.Microsecond
}

// keys is the key in Redis, as the scripts take it. It is a digest: names and addresses of people are no business of
// an operator who looks into Redis, and several Wickets may share one.
func (m *Redis) keys(key string) []string {
	sum := sha256.Sum256([]byte(m.namespace + "\n" + key))
	return []string{redisPrefix + base64.RawURLEncoding.EncodeToString(sum[:16])}
}

var errAway = errors.New("no answer, for Redis is away")

// ask puts one question to Redis. It returns an error where there is no answer, at once while Redis is away.
func ask[T any](ctx context.Context, m *Redis, question func(context.Context) (T, error)) (T, error) {
	var nothing T
	if m.away.Load() {
		return nothing, errAway
	}
	// A visitor who goes away says nothing of Redis.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), m.Patience)
	defer cancel()
	m.asked.Add(1)
	ctx, span := storage.StartSpan(ctx, "redis", attribute.String("db.system.name", "redis"))
	answer, err := question(ctx)
	storage.EndSpan(span, err)
	if err != nil {
		m.failed.Add(1)
		m.lose(err)
		return nothing, err
	}
	return answer, nil
}

// lose declares Redis away and begins to look for it.
func (m *Redis) lose(err error) {
	if m.closing.Err() != nil || !m.away.CompareAndSwap(false, true) {
		return
	}
	since := m.local.Now()
	m.mu.Lock()
	m.lost++
	m.mu.Unlock()
	told := m.tell(err)
	m.looking.Go(func() {
		ticker := time.NewTicker(lookEvery)
		defer ticker.Stop()
		for {
			select {
			case <-m.closing.Done():
				return
			case <-ticker.C:
			}
			if probeRedis(m.closing, m.Redis) == nil && m.settle() {
				if told {
					m.log.Info("Redis answers again", "away", m.local.Now().Sub(since))
				}
				return
			}
			told = told || m.tell(err)
		}
	})
}

// tell says in the log that Redis is away, unless that was said within a minute: it may come and go many times in one.
func (m *Redis) tell(err error) (told bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.local.Now()
	if !m.toldAt.IsZero() && now.Sub(m.toldAt) < toldEvery {
		return false
	}
	m.log.Warn("Redis does not answer; until it does, this process counts for itself", "error", err, "times", m.lost)
	m.toldAt, m.lost = now, 0
	return true
}

// owe notes what Redis has to be told when it is back.
func (m *Redis) owe(missed func(ctx context.Context) error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.owed) < maxOwed {
		m.owed = append(m.owed, missed)
	}
}

// settle tells Redis what it missed, and asks it from now on.
func (m *Redis) settle() bool {
	for {
		m.mu.Lock()
		owed := m.owed
		m.owed = nil
		if len(owed) == 0 {
			m.away.Store(false)
			m.mu.Unlock()
			return true
		}
		m.mu.Unlock()
		for i, missed := range owed {
			ctx, cancel := context.WithTimeout(m.closing, redisDialPatience)
			err := missed(ctx)
			cancel()
			if err != nil {
				m.mu.Lock()
				m.owed = append(owed[i:], m.owed...)
				m.mu.Unlock()
				return false
			}
		}
	}
}
