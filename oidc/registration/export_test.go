package registration

// Adopt reads a document and keeps the client that it describes, wherever it is.
var Adopt = (*Service).adopt
