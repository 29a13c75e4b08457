package harness

import (
	"encoding/json"
	"time"

	"github.com/google/uuid"

	"github.com/wicket-id/wicket/storage"
)

// What commands print with -o json, as far as tests look at it.
type (
	PrintedUser struct {
		ID             uuid.UUID  `json:"id"`
		Username       string     `json:"username"`
		IsActive       bool       `json:"is_active"`
		CreatedAt      time.Time  `json:"created_at"`
		LockedUntil    *time.Time `json:"locked_until"`
		SessionVersion int64      `json:"session_version"`
		LastLoginAt    *time.Time `json:"last_login_at"`
	}
	PrintedKey struct {
		KID            string     `json:"kid"`
		Use            string     `json:"use"`
		Alg            string     `json:"alg"`
		SignsFrom      time.Time  `json:"signs_from"`
		PublishedUntil *time.Time `json:"published_until"`
	}
	PrintedEntry struct {
		Entity    string          `json:"entity"`
		EntityID  string          `json:"entity_id"`
		Action    string          `json:"action"`
		OldValues json.RawMessage `json:"old_values,omitempty"`
		NewValues json.RawMessage `json:"new_values,omitempty"`
		Actor     string          `json:"actor"`
	}
	printedTable struct {
		Table  string `json:"table"`
		Rows   int64  `json:"rows"`
		Added  int64  `json:"added"`
		SHA256 string `json:"sha256"`
	}
	PrintedCopy struct {
		From      storage.Kind   `json:"from"`
		To        storage.Kind   `json:"to"`
		Rehearsal bool           `json:"rehearsal"`
		Tables    []printedTable `json:"tables"`
		Rows      int64          `json:"rows"`
		Added     int64          `json:"added"`
		Jobs      int            `json:"jobs"`
	}
	printedFactor struct {
		Kind string `json:"kind"`
		Name string `json:"name"`
	}
	PrintedFactors struct {
		Username        string          `json:"username"`
		HasPassword     bool            `json:"has_password"`
		TwoFactor       bool            `json:"two_factor"`
		Factors         []printedFactor `json:"factors"`
		BackupCodesLeft int             `json:"backup_codes_left"`
	}
	PrintedInvitation struct {
		ID        uuid.UUID `json:"id"`
		Link      string    `json:"link"`
		Email     string    `json:"email"`
		Roles     []string  `json:"roles"`
		ExpiresAt time.Time `json:"expires_at"`
	}
	PrintedConfig struct {
		Settings []json.RawMessage `json:"settings"`
		Faults   []string          `json:"faults"`
	}
	PrintedImport struct {
		DryRun       bool  `json:"dry_run"`
		Lines        int64 `json:"lines"`
		Imported     int64 `json:"imported"`
		AlreadyThere int64 `json:"already_there"`
		Refused      int64 `json:"refused"`
	}
	PrintedRefusal struct {
		Line     int64  `json:"line"`
		Username string `json:"username"`
		Reason   string `json:"reason"`
	}
	PrintedStep struct {
		Step   string `json:"step"`
		Detail string `json:"detail"`
	}
)
