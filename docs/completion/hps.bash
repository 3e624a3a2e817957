# shellcheck shell=bash
# Completion of hps, host_config, cluster_config and hps_config: source it, or put it where bash-completion looks.
# Made by `python -m tests.reference` from the verbs; change the source, not this file.

# _hps_next WORDS: what may follow these words.
_hps_next() {
	case $1 in
	'') echo 'account authenticate authority cluster cluster_config health host host_config hps_config image node operator records service timeline --help --ips --cluster' ;;
	'account') echo 'list create remove --help' ;;
	'account list') echo '--help --json' ;;
	'account create') echo 'operator ips --help --json --csr' ;;
	'account remove') echo '--help --json' ;;
	'authenticate') echo '--help --json' ;;
	'authority') echo 'show passphrase unlock lock --help' ;;
	'authority show') echo '--help --cluster' ;;
	'authority passphrase') echo '--help --cluster' ;;
	'authority unlock') echo '--help --cluster' ;;
	'authority lock') echo '--help --cluster' ;;
	'cluster') echo 'configure activate deactivate show list set add-ips remove-ips --help' ;;
	'cluster configure') echo '--help --answers --dry-run --cluster-name --created --ips-names --description --dhcp-iface --dhcp-ip --network-cidr --dhcp-rangesize --dhcp-lease --dns-domain --dns-local-server --dns-upstream-server --ntp-local-server --syslog-local-server --smtp-local-server --default-route --configure-at --menu-timeout --default-type --default-os --poll-interval --console --operator-ssh-keys --probe-seconds --no-operator' ;;
	'cluster activate') echo '--help --probe-seconds' ;;
	'cluster deactivate') echo '--help' ;;
	'cluster show') echo '--help' ;;
	'cluster list') echo '--help' ;;
	'cluster set') echo '--help' ;;
	'cluster add-ips') echo '--help --name' ;;
	'cluster remove-ips') echo '--help --cluster' ;;
	'cluster_config') echo 'get set unset list exists --help' ;;
	'cluster_config get') echo 'CLUSTER_NAME CREATED IPS_NAMES DESCRIPTION DHCP_IFACE DHCP_IP NETWORK_CIDR DHCP_RANGESIZE DHCP_LEASE DNS_DOMAIN DNS_LOCAL_SERVER NTP_LOCAL_SERVER SYSLOG_LOCAL_SERVER DNS_UPSTREAM_SERVER SMTP_LOCAL_SERVER DEFAULT_ROUTE CONFIGURE_AT MENU_TIMEOUT DEFAULT_TYPE DEFAULT_OS POLL_INTERVAL CONSOLE CERTIFICATE_DAYS OPENSVC_CLUSTER_SECRET OPERATOR_SSH_KEYS --help --json --cluster' ;;
	'cluster_config set') echo 'CLUSTER_NAME CREATED IPS_NAMES DESCRIPTION DHCP_IFACE DHCP_IP NETWORK_CIDR DHCP_RANGESIZE DHCP_LEASE DNS_DOMAIN DNS_LOCAL_SERVER NTP_LOCAL_SERVER SYSLOG_LOCAL_SERVER DNS_UPSTREAM_SERVER SMTP_LOCAL_SERVER DEFAULT_ROUTE CONFIGURE_AT MENU_TIMEOUT DEFAULT_TYPE DEFAULT_OS POLL_INTERVAL CONSOLE CERTIFICATE_DAYS OPENSVC_CLUSTER_SECRET OPERATOR_SSH_KEYS --help --json --cluster --revision' ;;
	'cluster_config unset') echo 'CLUSTER_NAME CREATED IPS_NAMES DESCRIPTION DHCP_IFACE DHCP_IP NETWORK_CIDR DHCP_RANGESIZE DHCP_LEASE DNS_DOMAIN DNS_LOCAL_SERVER NTP_LOCAL_SERVER SYSLOG_LOCAL_SERVER DNS_UPSTREAM_SERVER SMTP_LOCAL_SERVER DEFAULT_ROUTE CONFIGURE_AT MENU_TIMEOUT DEFAULT_TYPE DEFAULT_OS POLL_INTERVAL CONSOLE CERTIFICATE_DAYS OPENSVC_CLUSTER_SECRET OPERATOR_SSH_KEYS --help --json --cluster --revision' ;;
	'cluster_config list') echo '--help --json --cluster' ;;
	'cluster_config exists') echo 'CLUSTER_NAME CREATED IPS_NAMES DESCRIPTION DHCP_IFACE DHCP_IP NETWORK_CIDR DHCP_RANGESIZE DHCP_LEASE DNS_DOMAIN DNS_LOCAL_SERVER NTP_LOCAL_SERVER SYSLOG_LOCAL_SERVER DNS_UPSTREAM_SERVER SMTP_LOCAL_SERVER DEFAULT_ROUTE CONFIGURE_AT MENU_TIMEOUT DEFAULT_TYPE DEFAULT_OS POLL_INTERVAL CONSOLE CERTIFICATE_DAYS OPENSVC_CLUSTER_SECRET OPERATOR_SSH_KEYS --help --json --cluster' ;;
	'health') echo '--help --json' ;;
	'host') echo 'list show timeline configure arm reinstall unconfigure reboot rescue normal remove revoke search --help' ;;
	'host list') echo '--help --json --unconfigured' ;;
	'host show') echo '--help --json' ;;
	'host timeline') echo '--help --json --session' ;;
	'host configure') echo '--help --json --type --os --erase' ;;
	'host configure --type') echo 'SCH TCH CCH DRH TCN CCN' ;;
	'host arm') echo '--help --json --erase' ;;
	'host reinstall') echo '--help --json --erase' ;;
	'host unconfigure') echo '--help --json' ;;
	'host reboot') echo '--help --json' ;;
	'host rescue') echo '--help --json' ;;
	'host normal') echo '--help --json' ;;
	'host remove') echo '--help --json' ;;
	'host revoke') echo '--help --json' ;;
	'host search') echo '--help --json' ;;
	'host_config') echo 'get set unset list exists --help' ;;
	'host_config get') echo 'STATE STATUS TYPE HOST_PROFILE OS_ID HOSTNAME IP ARCH CREATED RESCUE INSTALL_ID INSTALL_ARMED INSTALL_DISK INSTALL_TRIES INSTALL_ERROR CERTIFICATE CERTIFICATE_NEXT CERTIFICATE_EXPIRES BMC_ADDRESS BMC_USER BMC_PASSWORD DESCRIPTION LAST_REBOOT_COMMAND LAST_REBOOT_TIME SLOT IMAGE OS_NAME OS_VERSION OS_PRETTY_NAME REGISTERED --help --json' ;;
	'host_config set') echo 'STATE STATUS TYPE HOST_PROFILE OS_ID HOSTNAME IP ARCH CREATED RESCUE INSTALL_ID INSTALL_ARMED INSTALL_DISK INSTALL_TRIES INSTALL_ERROR CERTIFICATE CERTIFICATE_NEXT CERTIFICATE_EXPIRES BMC_ADDRESS BMC_USER BMC_PASSWORD DESCRIPTION LAST_REBOOT_COMMAND LAST_REBOOT_TIME SLOT IMAGE OS_NAME OS_VERSION OS_PRETTY_NAME REGISTERED --help --json --revision' ;;
	'host_config unset') echo 'STATE STATUS TYPE HOST_PROFILE OS_ID HOSTNAME IP ARCH CREATED RESCUE INSTALL_ID INSTALL_ARMED INSTALL_DISK INSTALL_TRIES INSTALL_ERROR CERTIFICATE CERTIFICATE_NEXT CERTIFICATE_EXPIRES BMC_ADDRESS BMC_USER BMC_PASSWORD DESCRIPTION LAST_REBOOT_COMMAND LAST_REBOOT_TIME SLOT IMAGE OS_NAME OS_VERSION OS_PRETTY_NAME REGISTERED --help --json --revision' ;;
	'host_config list') echo '--help --json' ;;
	'host_config exists') echo 'STATE STATUS TYPE HOST_PROFILE OS_ID HOSTNAME IP ARCH CREATED RESCUE INSTALL_ID INSTALL_ARMED INSTALL_DISK INSTALL_TRIES INSTALL_ERROR CERTIFICATE CERTIFICATE_NEXT CERTIFICATE_EXPIRES BMC_ADDRESS BMC_USER BMC_PASSWORD DESCRIPTION LAST_REBOOT_COMMAND LAST_REBOOT_TIME SLOT IMAGE OS_NAME OS_VERSION OS_PRETTY_NAME REGISTERED --help --json' ;;
	'hps_config') echo 'get set unset list exists --help' ;;
	'hps_config get') echo 'ACTIVE_CLUSTER IPS_NAME RESOURCES PROFILES CACHE LOG_LEVEL DESCRIPTION --help --json' ;;
	'hps_config set') echo 'ACTIVE_CLUSTER IPS_NAME RESOURCES PROFILES CACHE LOG_LEVEL DESCRIPTION --help --json --revision' ;;
	'hps_config unset') echo 'ACTIVE_CLUSTER IPS_NAME RESOURCES PROFILES CACHE LOG_LEVEL DESCRIPTION --help --json --revision' ;;
	'hps_config list') echo '--help --json' ;;
	'hps_config exists') echo 'ACTIVE_CLUSTER IPS_NAME RESOURCES PROFILES CACHE LOG_LEVEL DESCRIPTION --help --json' ;;
	'image') echo 'build profiles list verify key media --help' ;;
	'image build') echo '--help --rebuild' ;;
	'image profiles') echo '--help' ;;
	'image list') echo '--help' ;;
	'image verify') echo '--help' ;;
	'image key') echo '--help' ;;
	'image media') echo '--help' ;;
	'node') echo 'install identity register renew say --help' ;;
	'node install') echo '--help' ;;
	'node identity') echo '--help' ;;
	'node register') echo '--help' ;;
	'node renew') echo '--help' ;;
	'node say') echo '--help --function' ;;
	'operator') echo 'create --help' ;;
	'operator create') echo '--help --folder --p12' ;;
	'records') echo 'check restore --help' ;;
	'records check') echo '--help --json' ;;
	'records restore') echo '--help --json' ;;
	'service') echo 'start stop reconcile render status renew nginx --help' ;;
	'service start') echo '--help --foreground' ;;
	'service stop') echo '--help' ;;
	'service reconcile') echo '--help --dry-run' ;;
	'service render') echo '--help --dry-run' ;;
	'service status') echo '--help' ;;
	'service renew') echo '--help' ;;
	'service nginx') echo '--help' ;;
	'timeline') echo 'lease --help' ;;
	'timeline lease') echo '--help' ;;
	esac
}

_hps() {
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} place="" each next=""
	[ "${COMP_WORDS[0]##*/}" = hps ] || place=${COMP_WORDS[0]##*/}
	for each in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
		next=$(_hps_next "${place:+$place }$each")
		[ -z "$next" ] || [[ $each == -* ]] || place=${place:+$place }$each
	done
	if [ "$word" = = ]; then word=""; elif [ "$before" = = ]; then before=${COMP_WORDS[COMP_CWORD - 2]}; fi
	next=""
	[[ $before != -* ]] || next=$(_hps_next "$place $before")
	[ -n "$next" ] || next=$(_hps_next "$place")
	mapfile -t COMPREPLY < <(compgen -W "$next" -- "$word")
}

complete -o default -F _hps hps host_config cluster_config hps_config
