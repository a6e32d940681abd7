# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# Completion of pvsecretctl. Made from the tables in client/ by tests/unit/test-surroundings.

_pvsecretctl_commands()
{
	case $1 in
	'pvsecretctl') echo 'create verify describe host-key trust status access audit ping help' ;;
	'pvsecretctl create') echo 'association meta retrievable retr update-cck cck' ;;
	'pvsecretctl host-key') echo 'verify list' ;;
	'pvsecretctl trust') echo 'list' ;;
	'pvsecretctl audit') echo 'verify' ;;
	esac
}

_pvsecretctl_command()
{
	case $1 in
	'pvsecretctl create retr') echo 'pvsecretctl create retrievable' ;;
	'pvsecretctl create cck') echo 'pvsecretctl create update-cck' ;;
	*) echo "$1" ;;
	esac
}

_pvsecretctl_options()
{
	case $1 in
	'pvsecretctl') echo '-k --host-key-document --hdr --cck --extension-secret --cuid-hex --cuid --flags -C --cert --crt --crl --offline --root-ca --no-verify --input-secret --derive --secret --type --use-name --user-data --user-sign-key --policy --toc-policy -i --input --user-cert -o --output --stdout -f --force --warn-days --socket -j --json -q --quiet -v --verbose --version -h --help' ;;
	'pvsecretctl create') echo '-k --host-key-document --hdr --cck --extension-secret --cuid-hex --cuid --flags -C --cert --crt --crl --offline --root-ca --no-verify --input-secret --derive --secret --type --use-name --user-data --user-sign-key --policy --toc-policy -o --output --stdout -f --force --socket -j --json -q --quiet -v --verbose --version -h --help' ;;
	'pvsecretctl create association') echo '-k --host-key-document --hdr --cck --extension-secret --cuid-hex --cuid --flags -C --cert --crt --crl --offline --root-ca --no-verify --input-secret --derive --use-name --user-data --user-sign-key --policy --toc-policy -o --output --stdout -f --force --socket -j --json -q --quiet -v --verbose --version -h --help' ;;
	'pvsecretctl create meta') echo '-k --host-key-document --hdr --cck --extension-secret --cuid-hex --cuid --flags -C --cert --crt --crl --offline --root-ca --no-verify --use-name --user-data --user-sign-key --policy --toc-policy -o --output -f --force --socket -j --json -q --quiet -v --verbose --version -h --help' ;;
	'pvsecretctl create retrievable') echo '-k --host-key-document --hdr --cck --extension-secret --cuid-hex --cuid --flags -C --cert --crt --crl --offline --root-ca --no-verify --secret --type --use-name --user-data --user-sign-key --policy --toc-policy -o --output --stdout -f --force --socket -j --json -q --quiet -v --verbose --version -h --help' ;;
	'pvsecretctl create update-cck') echo '-k --host-key-document --hdr --cck --extension-secret --cuid-hex --cuid --flags -C --cert --crt --crl --offline --root-ca --no-verify --secret --use-name --user-data --user-sign-key --policy --toc-policy -o --output -f --force --socket -j --json -q --quiet -v --verbose --version -h --help' ;;
	'pvsecretctl verify') echo '-i --input --user-cert -o --output --socket -j --json -q --quiet -v --verbose --version -h --help' ;;
	'pvsecretctl describe') echo '-i --input --socket -j --json -q --quiet -v --verbose --version -h --help' ;;
	'pvsecretctl host-key') echo '-C --cert --crt --crl --warn-days --socket -j --json -q --quiet -v --verbose --version -h --help' ;;
	'pvsecretctl host-key verify') echo '-C --cert --crt --crl --warn-days --socket -j --json -q --quiet -v --verbose --version -h --help' ;;
	'pvsecretctl host-key list') echo '--warn-days --socket -j --json -q --quiet -v --verbose --version -h --help' ;;
	'pvsecretctl trust') echo '--warn-days --socket -j --json -q --quiet -v --verbose --version -h --help' ;;
	'pvsecretctl trust list') echo '--warn-days --socket -j --json -q --quiet -v --verbose --version -h --help' ;;
	'pvsecretctl status') echo '--socket -j --json -q --quiet -v --verbose --version -h --help' ;;
	'pvsecretctl access') echo '--socket -j --json -q --quiet -v --verbose --version -h --help' ;;
	'pvsecretctl audit') echo '--socket -j --json -q --quiet -v --verbose --version -h --help' ;;
	'pvsecretctl audit verify') echo '--socket -j --json -q --quiet -v --verbose --version -h --help' ;;
	'pvsecretctl ping') echo '--socket -j --json -q --quiet -v --verbose --version -h --help' ;;
	esac
}

# FILE, where the words behind a command are files.
_pvsecretctl_operand()
{
	case $1 in
	'pvsecretctl verify') echo FILE ;;
	'pvsecretctl describe') echo FILE ;;
	'pvsecretctl host-key verify') echo FILE ;;
	'pvsecretctl audit verify') echo FILE ;;
	esac
}

# What stands behind an option of a command: FILE, NAME, or one of these words; nothing for a flag.
_pvsecretctl_argument()
{
	case "$2 $1" in
	'pvsecretctl create update-cck --secret') echo 'NAME'; return ;;
	esac
	case $1 in
	-k|--host-key-document) echo 'FILE' ;;
	--hdr) echo 'FILE' ;;
	--cck) echo 'NAME' ;;
	--extension-secret) echo 'NAME' ;;
	--cuid-hex) echo 'NAME' ;;
	--cuid) echo 'FILE' ;;
	--pcf) echo 'NAME' ;;
	--flags) echo 'disable-dump' ;;
	-C|--crt|--cert) echo 'FILE' ;;
	--crl) echo 'FILE' ;;
	--root-ca) echo 'FILE' ;;
	--input-secret) echo 'FILE' ;;
	--output-secret) echo 'FILE' ;;
	--secret) echo 'FILE' ;;
	--type) echo 'plain aes aes-xts hmac-sha ec' ;;
	--user-data) echo 'FILE' ;;
	--user-sign-key) echo 'NAME' ;;
	--policy) echo 'FILE' ;;
	--toc-policy) echo 'FILE' ;;
	-i|--input) echo 'FILE' ;;
	--user-cert) echo 'FILE' ;;
	-o|--output) echo 'FILE' ;;
	--warn-days) echo 'NAME' ;;
	--socket) echo 'FILE' ;;
	-j=|--json=) echo 'pretty short off' ;;
	esac
}

_pvsecretctl()
{
	local i word kind known at=pvsecretctl cur=${COMP_WORDS[COMP_CWORD]}
	local before=${COMP_WORDS[COMP_CWORD - 1]} assigned=

	# Bash takes "--type=aes" for three words.
	if [[ $cur == = ]]; then
		cur= assigned='='
	elif [[ $before == = ]]; then
		before=${COMP_WORDS[COMP_CWORD - 2]} assigned='='
	fi
	for ((i = 1; i < COMP_CWORD; i++)); do
		word=${COMP_WORDS[i]}
		if [[ $word == -* ]]; then
			if [[ ${COMP_WORDS[i + 1]} == = ]]; then
				((i += 2))
			elif [[ -n $(_pvsecretctl_argument "$word" "$at") ]]; then
				((i++))
			fi
			continue
		fi
		for known in $(_pvsecretctl_commands "$at"); do
			if [[ $known == "$word" && $word != help ]]; then
				at=$(_pvsecretctl_command "$at $word")
				break
			fi
		done
	done
	kind=
	if [[ $before == -* ]]; then
		kind=$(_pvsecretctl_argument "$before$assigned" "$at")
		[[ -z $kind ]] && kind=$(_pvsecretctl_argument "$before" "$at")
	fi
	if [[ $kind == NAME ]]; then
		COMPREPLY=()
	elif [[ -n $kind && $kind != FILE ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$kind" -- "$cur")
	elif [[ -z $kind && $cur == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$(_pvsecretctl_options "$at")" -- "$cur")
	elif [[ -z $kind && -n $(_pvsecretctl_commands "$at") ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$(_pvsecretctl_commands "$at")" -- "$cur")
	elif [[ -z $kind && -z $(_pvsecretctl_operand "$at") ]]; then
		COMPREPLY=()
	else
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
	fi
}
complete -F _pvsecretctl pvsecretctl
