# The bridge and the wrappers under every shell that a node may have.

setup() {
	functions=$BATS_TEST_DIRNAME/../../node-functions
	shells='dash|busybox sh|bash|bash --posix'
	arguments=$BATS_TEST_TMPDIR/arguments
	# Stands where Python stands: it writes each argument on a line of its own.
	cat >"$arguments" <<-'END'
		#!/bin/sh
		printf '<%s>\n' "$@"
	END
	chmod +x "$arguments"
}

# sourced: the words that source every file and put the stand-in in the place of Python.
sourced() {
	echo ". '$functions/hps.sh'; . '$functions/api.sh'; _n_python=${python:-$arguments} _n_application=/app _n_identity=/identity"
}

# in_each_shell SCRIPT: run it in each shell after sourcing every file of functions.
in_each_shell() {
	local IFS='|' shell
	for shell in $shells; do
		IFS=' '
		$shell -uc "$(sourced); $1" || return
	done
}

# functions_of FILE: the names that it defines.
functions_of() { sed -n 's/^\([A-Za-z_][A-Za-z0-9_]*\)() *{.*/\1/p' "$1"; }

# feature: AP1
@test "every function of a node starts with n_, or _n_ where it is private" {
	for file in "$functions"/*.sh; do
		run functions_of "$file"
		[ -n "$output" ]
		[ -z "$(printf '%s\n' "$output" | grep -Ev '^_?n_[a-z0-9_]+$')" ]
	done
}

@test "arguments pass through with spaces, quotes, newlines and nothing intact" {
	run in_each_shell "n_hps a 'b c' '' '\$HOME \"x\" *' 'one
two'"
	[ "$status" = 0 ]
	expected='</app>
<a>
<b c>
<>
<$HOME "x" *>
<one
two>'
	[ "$(printf '%s\n' "$output" | grep -c '^</app>$')" = 4 ]
	[ "$(printf '%s\n' "$output" | head -n 7)" = "$expected" ]
	[ "$(printf '%s\n' "$output" | tail -n 7)" = "$expected" ]
}

@test "exit codes come back unchanged" {
	for code in 0 1 3 4 8; do
		printf '#!/bin/sh\nexit %s\n' "$code" >"$BATS_TEST_TMPDIR/code"
		chmod +x "$BATS_TEST_TMPDIR/code"
		python=$BATS_TEST_TMPDIR/code
		run in_each_shell "n_hps x; [ \$? = $code ]"
		[ "$status" = 0 ]
	done
}

@test "sourcing prints nothing, runs nothing and keeps the options of the shell" {
	python=false
	run in_each_shell ':'
	[ "$status" = 0 ]
	[ -z "$output" ]
	run in_each_shell "false; :"
	[ "$status" = 0 ]
}

# feature: AP1
@test "each wrapper calls one verb or one command, and hands on its arguments" {
	for file in "$functions"/*.sh; do
		for function in $(functions_of "$file"); do
			case $function in n_hps | n_ips_command | _n_*) continue ;; esac
			for shell in dash 'busybox sh' bash; do
				run $shell -c "$(sourced); $function 'a b' '--c=\$(touch $BATS_TEST_TMPDIR/evaluated)'"
				[ "$status" = 0 ]
				case ${lines[0]} in
				'</app>') [ "${lines[1]} ${lines[2]}" = "<node> <${function#n_}>" ] || [ "${lines[1]} ${lines[2]}" = '<node> <say>' ] ;;
				*) [ "${lines[0]} ${lines[1]} ${lines[2]}" = '<-I> <-S> <-c>' ] && [ "${lines[4]} ${lines[5]}" = '</app> </identity>' ] ;;
				esac
				[ "${lines[-2]}" = '<a b>' ]
				[ "${lines[-1]}" = "<--c=\$(touch $BATS_TEST_TMPDIR/evaluated)>" ]
				[ ! -e "$BATS_TEST_TMPDIR/evaluated" ]
			done
		done
	done
}

@test "unsetting is a word of its own" {
	run in_each_shell 'n_remote_host_variable KEY --unset'
	[ "${lines[-1]}" = '<action=unset>' ]
	[ "${lines[-2]}" = '<KEY>' ]
}

@test "each public function has its usage and its meaning in the two lines above it" {
	for file in "$functions"/*.sh; do
		for function in $(functions_of "$file" | grep -v '^_'); do
			above=$(grep -B 2 "^$function()" "$file")
			printf '%s\n' "$above" | sed -n 1p | grep -Eq "^# $function( |\$)"
			printf '%s\n' "$above" | sed -n 2p | grep -Eq '^#   [A-Z].*\.$'
		done
	done
}

@test "no function is longer than six lines" {
	for file in "$functions"/*.sh; do
		run awk '/^[a-z_]+\(\) *\{/ { start = NR } /^\}|\}$/ { if (start && NR - start > 6) print FILENAME ": " start; start = 0 }' "$file"
		[ -z "$output" ]
	done
}
