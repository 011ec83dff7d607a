package manifest

// Parse is parse, for tests.
var Parse = parse
