// Package manifest writes the definition of an integration as the YAML document of
// Prismatic's platform, as its code-native SDK, spectral 10.31, does, and tells how two
// such documents differ.
package manifest
