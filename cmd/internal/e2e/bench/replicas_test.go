package bench

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// BenchmarkReplicas measures the hot ways through one, two and three processes on one PostgreSQL and one Redis, which
// get the requests in turn: what one process made the next one reads. cpu-µs/op and sig/op are of all of them together;
// postgres-sig/op and redis-sig/op what they make the servers below spend, queries/op the statements that PostgreSQL
// was sent, redis-commands/op what Redis was asked. On a machine whose cores are all busy more processes bring no more
// answers; what this shows is that an answer costs no more.
func BenchmarkReplicas(b *testing.B) {
	for n := 1; n <= 3; n++ {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			memory, url := storagetest.Redis(b), storagetest.URL(b, storage.Postgres)
			server := startBenchServer(b, url, "WICKET_REDIS_URL="+memory.URL())
			for len(server.replicas) < n {
				server.startReplica(b, harness.FreePort(b))
			}
			gauges := append([]gauge{redisCommands(memory.Client(b))}, countStatements(b, url)...)
			for _, way := range hotWays {
				b.Run(way.name, func(b *testing.B) {
					unit := float64(signatureCPU(b))
					server.measure(b, way.once, append(gauges,
						gauge{"postgres-sig/op", func(b *testing.B) float64 {
							return float64(familyCPU(b, storagetest.PostgresPID(b))) / unit
						}},
						gauge{"redis-sig/op", func(b *testing.B) float64 { return float64(processCPU(b, memory.PID())) / unit }},
					)...)
				})
			}
		})
	}
}

// countStatements counts what PostgreSQL is sent, but for the questions of the job queue, which come by the clock;
// nothing where it lacks the library that counts.
func countStatements(b *testing.B, url string) []gauge {
	b.Helper()
	db, err := sql.Open("pgx", url)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = db.Close() })
	var loaded string
	if err := db.QueryRow("SHOW shared_preload_libraries").Scan(&loaded); err != nil {
		b.Fatal(err)
	}
	if loaded != "pg_stat_statements" {
		return nil
	}
	if _, err := db.Exec("CREATE EXTENSION pg_stat_statements"); err != nil {
		b.Fatal(err)
	}
	return []gauge{{"queries/op", func(b *testing.B) (calls float64) {
		const query = `SELECT COALESCE(sum(calls), 0) FROM pg_stat_statements(true)
			WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database()) AND query NOT LIKE '%river%' AND query NOT LIKE '%pg_%'`
		if err := db.QueryRow(query).Scan(&calls); err != nil {
			b.Fatal(err)
		}
		return calls
	}}}
}

func redisCommands(client *redis.Client) gauge {
	return gauge{"redis-commands/op", func(b *testing.B) float64 {
		info, err := client.InfoMap(context.Background(), "stats").Result()
		if err != nil {
			b.Fatal(err)
		}
		n, err := strconv.ParseFloat(info["Stats"]["total_commands_processed"], 64)
		if err != nil {
			b.Fatal(err)
		}
		return n
	}}
}

// familyCPU is the CPU time that a process and its living children have used. PostgreSQL's serve a connection each, and
// live as long as it does.
func familyCPU(b *testing.B, pid int) time.Duration {
	b.Helper()
	spent := processCPU(b, pid)
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats {
		stat, err := os.ReadFile(path)
		if err != nil {
			continue // ended meanwhile
		}
		if fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+2:])); fields[1] == fmt.Sprint(pid) {
			child, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
			spent += processCPU(b, child)
		}
	}
	return spent
}
