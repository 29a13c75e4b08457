package password

import (
	"crypto/pbkdf2"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"hash"
	"regexp"
	"strconv"
	"strings"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/bcrypt"
	"golang.org/x/crypto/scrypt"
)

// ErrHashUnknown says that a text is no password hash of a kind that can be checked.
var ErrHashUnknown = errors.New("this is no password hash of a known kind: argon2id, scrypt, bcrypt or PBKDF2")

// What a stored hash may ask for. It decides what a sign-in costs, so that a file from elsewhere must not decide alone.
const (
	maxHash         = 512 // characters
	maxHashMemory   = 256 * 1024
	maxArgonPasses  = 16
	maxArgonWork    = 1 << 20 // KiB times passes
	maxLanes        = 16
	minBcryptCost   = bcrypt.MinCost
	maxBcryptCost   = 15
	maxScryptLn     = 18
	maxScryptR      = 32
	maxScryptWork   = 1 << 22 // N times r times p: ln=18, r=8 and p=2
	maxPBKDF2Rounds = 2_000_000
	maxHashSalt     = 128 // bytes
	minHashKey      = 16
	maxHashKey      = 128
)

// storedHash is a password hash that was read.
type storedHash struct {
	Scheme  string // what made it
	recipe  string // scheme and parameters
	matches func(password string) (bool, error)
}

var (
	argon2idForm = regexp.MustCompile(
		`^\$argon2id\$v=19\$m=([1-9][0-9]*),t=([1-9][0-9]*),p=([1-9][0-9]*)\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$`,
	)
	bcryptForm = regexp.MustCompile(`^\$2[aby]\$([0-9]{2})\$[./A-Za-z0-9]{53}$`)
	scryptForm = regexp.MustCompile(
		`^\$scrypt\$ln=([1-9][0-9]*),r=([1-9][0-9]*),p=([1-9][0-9]*)\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$`,
	)
	passlibForm      = regexp.MustCompile(`^\$pbkdf2-(sha256|sha512)\$([1-9][0-9]*)\$([A-Za-z0-9./]+)\$([A-Za-z0-9./]+)$`)
	djangoPBKDF2Form = regexp.MustCompile(`^pbkdf2_(sha256)\$([1-9][0-9]*)\$([!-#%-~]+)\$([A-Za-z0-9+/]+={0,2})$`)
)

var pbkdf2Hashes = map[string]func() hash.Hash{"sha256": sha256.New, "sha512": sha512.New}

// ReadHash reads a password hash: argon2id, scrypt or bcrypt as they are usually written, or PBKDF2 as passlib or
// Django write it. It says ErrHashUnknown, or which parameter is out of bounds; never anything of the hash itself.
func ReadHash(text string) (*storedHash, error) {
	if len(text) > maxHash {
		return nil, ErrHashUnknown
	}
	if fields := argon2idForm.FindStringSubmatch(text); fields != nil {
		return readArgon2id(fields)
	}
	if fields := bcryptForm.FindStringSubmatch(text); fields != nil {
		return readBcrypt(text, fields[1])
	}
	if fields := scryptForm.FindStringSubmatch(text); fields != nil {
		return readScrypt(fields)
	}
	if fields := passlibForm.FindStringSubmatch(text); fields != nil {
		// passlib's alphabet is base64 with a dot in place of the plus.
		salt, err := base64.RawStdEncoding.DecodeString(strings.ReplaceAll(fields[3], ".", "+"))
		if err != nil {
			return nil, errors.New("the salt of the PBKDF2 hash is damaged")
		}
		return readPBKDF2(fields[1], fields[2], salt, strings.ReplaceAll(fields[4], ".", "+"))
	}
	if fields := djangoPBKDF2Form.FindStringSubmatch(text); fields != nil {
		return readPBKDF2(fields[1], fields[2], []byte(fields[3]), strings.TrimRight(fields[4], "="))
	}
	return nil, ErrHashUnknown
}

func readArgon2id(fields []string) (*storedHash, error) {
	memory, err := parameter("argon2id", "memory in KiB (m)", fields[1], 8, maxHashMemory)
	if err != nil {
		return nil, err
	}
	passes, err := parameter("argon2id", "number of passes (t)", fields[2], 1, maxArgonPasses)
	if err != nil {
		return nil, err
	}
	lanes, err := parameter("argon2id", "number of lanes (p)", fields[3], 1, min(maxLanes, memory/8))
	if err != nil {
		return nil, err
	}
	if memory*passes > maxArgonWork {
		return nil, fmt.Errorf("m times t of the argon2id hash must be at most %d", maxArgonWork)
	}
	salt, want, err := saltAndKey("argon2id", fields[4], fields[5])
	if err != nil {
		return nil, err
	}
	return &storedHash{"argon2id", argonRecipe(
		uint32(memory), uint32(passes), lanes, len(salt), len(want),
	), func(password string) (bool, error) {
		got := argon2.IDKey([]byte(password), salt, uint32(passes), uint32(memory), uint8(lanes), uint32(len(want)))
		return subtle.ConstantTimeCompare(got, want) == 1, nil
	}}, nil
}

// argonRecipe is how an argon2id hash was made.
func argonRecipe(memory, passes uint32, lanes, salt, key int) string {
	return fmt.Sprintf("argon2id m=%d,t=%d,p=%d,salt=%d,key=%d", memory, passes, lanes, salt, key)
}

func readBcrypt(text, cost string) (*storedHash, error) {
	if _, err := parameter("bcrypt", "cost", cost, minBcryptCost, maxBcryptCost); err != nil {
		return nil, err
	}
	return &storedHash{"bcrypt", "bcrypt", func(password string) (bool, error) {
		err := bcrypt.CompareHashAndPassword([]byte(text), []byte(password))
		if errors.Is(err, bcrypt.ErrMismatchedHashAndPassword) {
			return false, nil
		}
		return err == nil && isUnambiguous(password), err
	}}, nil
}

func readScrypt(fields []string) (*storedHash, error) {
	ln, err := parameter("scrypt", "ln", fields[1], 1, maxScryptLn)
	if err != nil {
		return nil, err
	}
	r, err := parameter("scrypt", "r", fields[2], 1, maxScryptR)
	if err != nil {
		return nil, err
	}
	p, err := parameter("scrypt", "p", fields[3], 1, maxLanes)
	if err != nil {
		return nil, err
	}
	n := 1 << ln
	if n*r*p > maxScryptWork || 128*n*r > maxHashMemory*1024 {
		return nil, fmt.Errorf(
			"the scrypt hash asks for too much: at most %d MiB, and 2^ln times r times p at most %d", maxHashMemory/1024,
			maxScryptWork,
		)
	}
	salt, want, err := saltAndKey("scrypt", fields[4], fields[5])
	if err != nil {
		return nil, err
	}
	return &storedHash{"scrypt", "scrypt", func(password string) (bool, error) {
		got, err := scrypt.Key([]byte(password), salt, n, r, p, len(want))
		return err == nil && subtle.ConstantTimeCompare(got, want) == 1 && isUnambiguous(password), err
	}}, nil
}

func readPBKDF2(digest, rounds string, salt []byte, key string) (*storedHash, error) {
	count, err := parameter("PBKDF2", "number of rounds", rounds, 1, maxPBKDF2Rounds)
	if err != nil {
		return nil, err
	}
	want, err := base64.RawStdEncoding.DecodeString(key)
	if err := checkSizes("PBKDF2", salt, want, err); err != nil {
		return nil, err
	}
	if len(want) > pbkdf2Hashes[digest]().Size() { // each further block costs all the rounds again
		return nil, fmt.Errorf("the key of the PBKDF2 hash is longer than %s gives", digest)
	}
	return &storedHash{"pbkdf2", "pbkdf2", func(password string) (bool, error) {
		got, err := pbkdf2.Key(pbkdf2Hashes[digest], password, salt, count, len(want))
		return err == nil && subtle.ConstantTimeCompare(got, want) == 1 && isUnambiguous(password), err
	}}, nil
}

// isUnambiguous tells whether a password stands for itself alone. To bcrypt a password is a C string, repeated: "p" and
// "p\x00p" are the same. The HMAC in scrypt and PBKDF2 fills it up with zeros: "p" and "p\x00" are the same.
func isUnambiguous(password string) bool { return !strings.ContainsRune(password, 0) }

// parameter reads a number within bounds.
func parameter(scheme, name, digits string, least, most int) (int, error) {
	n, err := strconv.Atoi(digits)
	if err != nil || n < least || n > most {
		return 0, fmt.Errorf("the %s of the %s hash must be from %d to %d", name, scheme, least, most)
	}
	return n, nil
}

func saltAndKey(scheme, salt, key string) ([]byte, []byte, error) {
	saltBytes, saltErr := base64.RawStdEncoding.DecodeString(salt)
	keyBytes, keyErr := base64.RawStdEncoding.DecodeString(key)
	return saltBytes, keyBytes, checkSizes(scheme, saltBytes, keyBytes, errors.Join(saltErr, keyErr))
}

func checkSizes(scheme string, salt, key []byte, damage error) error {
	switch {
	case damage != nil:
		return fmt.Errorf("the %s hash is damaged", scheme)
	case len(salt) == 0 || len(salt) > maxHashSalt:
		return fmt.Errorf("the salt of the %s hash must be 1 to %d bytes long", scheme, maxHashSalt)
	case len(key) < minHashKey || len(key) > maxHashKey:
		return fmt.Errorf("the key of the %s hash must be %d to %d bytes long", scheme, minHashKey, maxHashKey)
	}
	return nil
}
