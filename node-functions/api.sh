# shellcheck shell=sh
# api.sh: what a node asks of the IPS; source hps.sh first, whose n_ips_command does the asking. POSIX sh.
# Made by `python -m tests.reference` from the commands; change lib/hps/commands, not this file.

# n_log_message MESSAGE [function=VALUE]
#   A line for the log of the IPS.
n_log_message() { n_ips_command log_message :message "$@"; }

# n_health
#   Whether decisions can be made.
n_health() { n_ips_command health "$@"; }

# n_install_step STEP [DETAIL] [time=VALUE]
#   A step of the boot timeline.
n_install_step() { n_ips_command install_step :step,detail "$@"; }

# n_install_failed REASON
#   The installation ended without a result.
n_install_failed() { n_ips_command install_failed :reason "$@"; }

# n_authenticate
#   For whom the IPS takes the caller.
n_authenticate() { n_ips_command authenticate "$@"; }

# n_remote_host_variable NAME [VALUE | --unset]
#   Read, set or unset a key of the node's own record.
n_remote_host_variable() {
	case ${2-} in
	--unset) n_ips_command host_variable :name "$1" action=unset ;;
	*) n_ips_command host_variable :name,value "$@" ;;
	esac
}

# n_remote_cluster_variable NAME [VALUE]
#   Read a key of the cluster.
n_remote_cluster_variable() { n_ips_command cluster_variable :name,value "$@"; }

# n_os_variable OS_ID NAME
#   Read a key of an operating system.
n_os_variable() { n_ips_command os_variable :os_id,name "$@"; }

# n_host_get_config
#   The node's own record, as text.
n_host_get_config() { n_ips_command host_get_config "$@"; }

# n_determine_state
#   The state of the node's host.
n_determine_state() { n_ips_command determine_state "$@"; }

# n_set_status STATUS
#   Say that the installation failed; any other state is set by the command whose result it is.
n_set_status() { n_ips_command set_status :status "$@"; }

# n_host_audit DATA [PREFIX]
#   What a machine found out about itself.
n_host_audit() { n_ips_command host_audit :data,prefix "$@"; }
