bats_require_minimum_version 1.5.0
# The functions of a node against a real IPS: nginx with TLS before hps-api, in a network namespace; nothing stands in.

setup_file() {
	[ "$(id -u)" = 0 ] || skip "needs root: a network namespace"
	export base=$BATS_FILE_TMPDIR/ips
	mkdir "$base" "$BATS_FILE_TMPDIR/other"
	mkfifo "$BATS_FILE_TMPDIR/end" "$BATS_FILE_TMPDIR/ready"
	cd "$BATS_TEST_DIRNAME/../.." || return
	unshare --net python -m tests.node.ips "$base" <"$BATS_FILE_TMPDIR/end" >"$BATS_FILE_TMPDIR/ready" 3>&- &
	export ips=$!
	# The IPS serves until nobody holds this pipe open.
	sleep infinity >"$BATS_FILE_TMPDIR/end" 3>&- &
	export holder=$!
	read -r word <"$BATS_FILE_TMPDIR/ready"
	[ "$word" = ready ]
}

teardown_file() {
	[ -n "${holder:-}" ] || return 0
	kill "$holder"
	wait "$ips" "$holder" || true
}

setup() {
	functions=$BATS_TEST_DIRNAME/../../node-functions
}

# node SCRIPT: run it in dash on a machine of the network, after sourcing the functions, as the node.
node() { in_shell dash "$1"; }

# in_shell SHELL SCRIPT
in_shell() {
	run --separate-stderr nsenter --net --target "$ips" $1 -uc \
		". '$functions/hps.sh'; . '$functions/api.sh'; _n_application=$base/hps.pyz _n_identity=${identity:-$base/identity}; $2"
}

# feature: AP2
@test "a node asks over mutual TLS with its certificate, in each shell" {
	for shell in dash 'busybox sh' bash 'bash --posix'; do
		in_shell "$shell" n_authenticate
		[ "$status" = 0 ]
		[ "$output" = "caller=node
name=52:54:00:00:00:01
cluster=lab" ]
	done
}

@test "a value comes back as it was given, whatever it holds" {
	for value in "a b" "\$(id)" "'\"; id #" "x=1&cmd=health" "%41+%" "grün ☃" "--unset-" "-" ":name,value" "\\n"; do
		export value
		node 'n_remote_host_variable LAST_REBOOT_COMMAND "$value" && n_remote_host_variable LAST_REBOOT_COMMAND'
		[ "$status" = 0 ]
		[ "$output" = "$value" ]
	done
	node 'n_remote_host_variable LAST_REBOOT_COMMAND "" && n_remote_host_variable LAST_REBOOT_COMMAND'
	[ "$status" = 0 ]
	[ -z "$output" ]
	node 'n_ips_command host_variable name=LAST_REBOOT_COMMAND value=--unset && n_remote_host_variable LAST_REBOOT_COMMAND'
	[ "$output" = --unset ]
	node 'n_remote_host_variable LAST_REBOOT_COMMAND --unset; n_remote_host_variable LAST_REBOOT_COMMAND'
	[ "$status" = 7 ]
	[[ "$stderr" == *"not set"* ]]
}

@test "bytes that are not UTF-8 are refused, and the locale changes nothing" {
	node 'n_remote_host_variable LAST_REBOOT_COMMAND "$(printf "\377")"'
	[ "$status" = 3 ]
	[[ "$stderr" == *"not UTF-8"* ]]
	for locale in C POSIX C.UTF-8 de_DE.ISO-8859-1; do
		node "LC_ALL=$locale; export LC_ALL; n_remote_host_variable LAST_REBOOT_COMMAND grün && n_remote_host_variable LAST_REBOOT_COMMAND"
		[ "$output" = grün ]
	done
}

@test "a node reaches its own record and the cluster's public keys, and nothing else" {
	node 'n_determine_state'
	[ "$output" = INSTALLING ]
	node 'n_remote_cluster_variable DNS_DOMAIN'
	[ "$output" = lab.example ]
	for question in 'n_remote_host_variable STATE INSTALLED' 'n_remote_host_variable TYPE TCH' 'n_remote_cluster_variable DNS_DOMAIN evil' \
		'n_remote_cluster_variable OPENSVC_CLUSTER_SECRET' 'n_ips_command host_list' 'n_ips_command host_show host=sch-001'; do
		node "$question"
		[ "$status" = 8 ]
		[ -z "$output" ]
	done
	node 'n_determine_state'
	[ "$output" = INSTALLING ]
}

@test "the exit codes are those of the failures" {
	node 'n_ips_command'
	[ "$status" = 2 ]
	node 'n_log_message'
	[ "$status" = 2 ]
	node 'n_health nonsense'
	[ "$status" = 2 ]
	node 'n_set_status NONSENSE'
	[ "$status" = 3 ]
	node 'n_ips_command nonsense'
	[ "$status" = 7 ]
	[[ "$stderr" == "hps: "* ]]
}

@test "a certificate of nobody gets nothing, and another authority's IPS gets no question" {
	identity=$BATS_FILE_TMPDIR/other
	cp "$base/identity"/* "$identity"
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj /CN=525400000001/OU=node \
		-keyout "$BATS_FILE_TMPDIR/key" -out "$BATS_FILE_TMPDIR/certificate" 2>"$BATS_FILE_TMPDIR/openssl"
	cat "$BATS_FILE_TMPDIR/key" "$BATS_FILE_TMPDIR/certificate" >"$identity/node.pem"
	node n_authenticate
	[ "$status" = 8 ]
	cp "$base/identity/node.pem" "$identity"
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj /CN=other \
		-keyout "$BATS_FILE_TMPDIR/key" -out "$identity/ca.pem" 2>"$BATS_FILE_TMPDIR/openssl"
	node n_health
	[ "$status" = 8 ]
	[[ "$stderr" == *"vouches for"* ]]
}

@test "a machine that is no node, and an IPS that does not answer" {
	identity=$BATS_FILE_TMPDIR/none
	node n_health
	[ "$status" = 7 ]
	run --separate-stderr unshare --net dash -c ". '$functions/hps.sh'; . '$functions/api.sh'; _n_application=$base/hps.pyz _n_identity=$base/identity; n_health"
	[ "$status" = 6 ]
}

@test "no function of a node gives anything to eval" {
	run sh -c 'cat "$1"/*.sh | grep -v "^#" | grep -nE "(^|[^_a-z])(eval|exec|source)([^_a-z]|\$)|\`"' - "$functions"
	[ "$status" = 1 ]
}
