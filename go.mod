module github.com/sluice-go/sluice

go 1.26

require (
	github.com/google/jsonschema-go v0.4.3
	github.com/netresearch/go-cron v0.9.1
	github.com/santhosh-tekuri/jsonschema/v5 v5.3.1
	github.com/stretchr/testify v1.12.1
	go.yaml.in/yaml/v4 v4.0.0
	pgregory.net/rapid v1.3.0
)

require go.yaml.in/yaml/v3 v3.0.5 // indirect
