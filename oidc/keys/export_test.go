package keys

// What the tests see of this package besides what everybody sees.
const (
	PublishedAfter = publishedAfter
	Announced      = announced
	Overlap        = overlap
	SealForKeys    = sealForKeys

	SealForEncryption = sealForEncryption
	DecryptsAfter     = decryptsAfter
	LeakedDecrypts    = leakedDecrypts
	MaxEncrypted      = maxEncrypted
)
