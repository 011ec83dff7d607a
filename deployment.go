package sluice

// DeploymentReason says why a hook or a flow of an instance's life runs.
type DeploymentReason string

// Why hooks run.
const (
	// ReasonDeployed is the first deployment of an instance.
	ReasonDeployed DeploymentReason = "deployed"
	// ReasonRedeployed is a deployment of the version and configuration that was there: it was
	// asked for, or an earlier one did not come to its end.
	ReasonRedeployed DeploymentReason = "redeployed"
	// ReasonConfigured is a new configuration of the same version.
	ReasonConfigured DeploymentReason = "configured"
	// ReasonUpgraded is another version, newer or older.
	ReasonUpgraded DeploymentReason = "upgraded"
	// ReasonPaused and ReasonResumed are a pause of the instance, and its end.
	ReasonPaused  DeploymentReason = "paused"
	ReasonResumed DeploymentReason = "resumed"
	// ReasonRestored is a deployment that failed: what it did is undone, and the previous one
	// put back.
	ReasonRestored DeploymentReason = "restored"
	// ReasonRemoved is the removal of the instance.
	ReasonRemoved DeploymentReason = "removed"
)

// DeploymentAttributes tells a hook, or a flow that a deployment or a removal starts, what is
// being made of the instance. The version and configuration that come stand in the run itself.
type DeploymentAttributes struct {
	// Reason is empty in other runs.
	Reason DeploymentReason `json:"reason"`
	// PreviousVersion is the version that was deployed before; empty if none was.
	PreviousVersion string `json:"previousVersion,omitempty"`
}
