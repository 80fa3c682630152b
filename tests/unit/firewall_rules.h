/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Rulesets for the tests of src/firewall: what people have, and what is hard to judge. */
#ifndef EW_TEST_FIREWALL_RULES_H
#define EW_TEST_FIREWALL_RULES_H

/* One table with one chain of the hook input; policy drop or accept. */
#define IN(policy, rules)                                                                          \
	"table inet fw {\n set ports {\n type inet_service; flags interval;\n"                     \
	" elements = { 1-1023, 5051 }\n }\n"                                                       \
	" set pairs {\n type ipv4_addr . inet_service; flags interval;\n"                          \
	" elements = { 127.0.0.0/8 . 5000-5100, 10.0.0.1 . 80 }\n }\n"                             \
	" set timed {\n type inet_service; flags timeout;\n elements = { 5051 timeout 1h }\n }\n"  \
	" set seen {\n type ipv4_addr; flags dynamic; size 64;\n }\n"                              \
	" map verdicts {\n type inet_service : verdict;\n"                                         \
	" elements = { 22 : drop, 5051 : jump allow }\n }\n"                                       \
	" chain allow {\n accept\n }\n chain deny {\n drop\n }\n chain back {\n return\n }\n"      \
	" chain strict {\n ct state invalid drop\n }\n"                                            \
	" chain ends {\n tcp flags syn accept\n }\n"                                               \
	" chain in {\n type filter hook input priority 0; policy " policy ";\n" rules "\n }\n}\n"

#define AT(family, hook, priority, rules)                                                          \
	"table " family " t_" hook " {\n chain c {\n type filter hook " hook " priority " priority \
	"; policy accept;\n" rules "\n }\n}\n"

#define STATEFUL "ct state established,related accept\n"
#define SYN	 "tcp flags & (fin|syn|rst|ack) == syn accept\n"

struct firewall_case {
	const char *rules;
	const char *iptables; /* arguments of iptables-nft and ip6tables-nft, one call a line */
	bool before;	      /* loaded before the connection is made */
};

static const struct firewall_case firewall_cases[] = {
	{ .rules = IN("drop", STATEFUL SYN) },
	{ .rules = IN("drop", "iifname \"lo\" accept\n" STATEFUL "ct state invalid drop") },
	{ .rules = IN("drop", STATEFUL "ct state invalid drop\nct state new accept") },
	{ .rules = IN("drop", "ct state invalid drop\niif lo accept\n" STATEFUL) },
	{ .rules = IN("drop", STATEFUL "iif lo accept\nct state invalid drop") },
	{ .rules = IN("accept", "ct state invalid drop") },
	{ .rules = IN("accept", STATEFUL) },
	{ .rules = IN("drop",
		      "ct state vmap { established : accept, related : accept, invalid : drop }") },
	{ .rules = IN("accept", "ct state vmap { established : accept, new : accept }\ndrop") },
	{ .rules = IN("drop", "ct state { established, invalid } accept") },
	{ .rules = IN("drop", "ct state != invalid accept") },
	{ .rules = IN("accept", "ct state != { established, related } drop") },
	{ .rules = IN("accept", "ct state ! established drop") },
	{ .rules = IN("accept", "ct direction original drop\nct direction reply drop") },
	{ .rules = IN("accept", "ct mark != 7 drop") },
	{ .rules = IN("accept", "ct status ! dnat drop") },
	{ .rules = IN("drop", "tcp sport 5051 accept") },
	{ .rules = IN("drop", "tcp dport 5051 accept") },
	{ .rules = IN("drop", "tcp sport 5000-5100 accept") },
	{ .rules = IN("drop", "tcp sport @ports accept") },
	{ .rules = IN("drop", "tcp sport != @ports accept") },
	{ .rules = IN("drop", "tcp sport { 22, 80, 443 } accept") },
	{ .rules = IN("drop", "ip saddr . tcp sport @pairs accept") },
	{ .rules = IN("drop", "ip saddr . tcp dport @pairs accept") },
	{ .rules = IN("drop", "tcp sport @timed accept") },
	{ .rules = IN("drop", "tcp sport vmap @verdicts") },
	{ .rules = IN("drop", "tcp sport vmap { 1-100 : accept, 5051 : goto deny }") },
	{ .rules = IN("accept", "tcp sport vmap { 1-100 : accept, * : drop }") },
	{ .rules = IN("accept", "iifname . tcp sport vmap { \"lo\" . 5051 : drop }") },
	{ .rules = IN("drop", "ip saddr 127.0.0.0/8 accept") },
	{ .rules = IN("drop", "ip saddr & 255.0.0.0 == 127.0.0.0 accept") },
	{ .rules = IN("accept", "iif lo ip saddr != 127.0.0.0/8 drop") },
	{ .rules = IN("drop", "ip saddr 10.0.0.0/8 accept\nip6 saddr ::1 accept") },
	{ .rules = IN("drop", "ip6 saddr { fe80::/10, ::1 } accept") },
	{ .rules = IN("drop", "meta nfproto ipv4 accept") },
	{ .rules = IN("drop", "meta nfproto { ipv4, ipv6 } accept") },
	{ .rules = IN("drop", "meta protocol ip6 accept") },
	{ .rules = IN("drop", "meta l4proto { udp, icmp } accept") },
	{ .rules = IN("drop", "meta l4proto tcp accept") },
	{ .rules = IN("drop", "ip protocol tcp accept") },
	{ .rules = IN("drop", "udp sport 5051 accept") },
	{ .rules = IN("drop", "th sport 5051 accept") },
	{ .rules = IN("drop", "tcp flags fin,rst accept") },
	{ .rules = IN("drop", "tcp flags == fin accept") },
	{ .rules = IN("drop", "tcp flags & (fin|ack) == (fin|ack) accept") },
	{ .rules = IN("accept", "tcp flags ! syn drop") },
	{ .rules = IN("drop", "tcp flags != syn accept") },
	{ .rules = IN("drop", "iifname \"l*\" accept") },
	{ .rules = IN("drop", "iifname { \"eth0\", \"lo\" } accept") },
	{ .rules = IN("drop", "iifname != \"lo\" accept") },
	{ .rules = IN("drop", "iiftype loopback accept") },
	{ .rules = IN("drop", "oifname \"lo\" accept") },
	{ .rules = IN("accept", "jump strict\naccept") },
	{ .rules = IN("accept", "goto strict\ndrop") },
	{ .rules = IN("drop", "jump back\naccept") },
	{ .rules = IN("drop", "goto back\naccept") },
	{ .rules = IN("accept", "jump ends\njump deny") },
	{ .rules = IN("drop", "return\naccept") },
	{ .rules = IN("drop", "continue\naccept") },
	{ .rules = IN("accept", "reject with tcp reset") },
	{ .rules = IN("accept", "ct state invalid reject") },
	{ .rules = IN("drop", "log prefix \"a b\" counter accept comment \"c d\"") },
	{ .rules = IN("drop", "limit rate 1000/second accept") },
	{ .rules = IN("drop", "meta mark 0 accept") },
	{ .rules = IN("drop", "meta mark set 7\nmeta mark 7 accept") },
	{ .rules = IN("drop", "meta mark set ct mark accept") },
	{ .rules = IN("drop", "ct mark set 7 accept") },
	{ .rules = IN("drop", "fib daddr type local accept") },
	{ .rules = IN("drop", "add @seen { ip saddr } accept") },
	{ .rules = IN("drop", "add @seen { ip saddr }\nip saddr @seen accept") },
	{ .rules = IN("accept", "ip ttl != 64 drop") },
	{ .rules = IN("accept", "numgen inc mod 2 1 drop") },
	{ .rules = IN("accept", "tcp dport < 1024 drop\ntcp sport >= 5051 drop") },
	{ .rules = IN("drop", "notrack\n" STATEFUL "ct state untracked accept") },
	/* Hooks, priorities, several tables. */
	{ .rules = AT("inet", "output", "0", "ct state invalid drop") },
	{ .rules = AT("ip", "output", "0", "oifname \"lo\" accept\ndrop") },
	{ .rules = AT("ip6", "input", "0", "drop") },
	{ .rules = AT("inet", "postrouting", "0", "tcp sport 5051 drop") },
	{ .rules = AT("inet", "prerouting", "-150", "ct state invalid drop") },
	{ .rules = AT("inet", "prerouting", "-300", "ct state established drop") },
	{ .rules = AT("inet", "output", "-300", "ct state invalid drop") },
	{ .rules = AT("inet", "output", "-300", "ct state established drop") },
	{ .rules = AT("inet", "output", "-200", "ct state established drop") },
	{ .rules = AT("inet", "output", "0", "iifname \"lo\" drop") },
	{ .rules = AT("inet", "output", "0", "iifname != \"lo\" drop") },
	{ .rules = AT("inet", "forward", "0", "drop") },
	{ .rules = AT("inet", "input", "10", "accept") IN("drop", STATEFUL) },
	{ .rules = AT("inet", "input", "-10", "accept") IN("drop", STATEFUL) },
	{ .rules = AT("inet", "input", "-10", "drop") IN("drop", "accept") },
	{ .rules = AT("inet", "input", "0", "tcp sport 5051 drop") IN("accept", "") },
	{ .rules = "table ip nat {\n chain o {\n type nat hook output priority -100; policy "
		   "accept;\n"
		   " drop\n }\n}\n" },
	{ .rules = "table netdev d {\n chain i {\n type filter hook ingress device lo priority 0;\n"
		   " policy accept;\n tcp sport 5051 drop\n }\n}\n" },
	{ .rules = "table netdev d {\n chain i {\n type filter hook ingress device lo priority 0;\n"
		   " policy accept;\n tcp sport 80 drop\n }\n}\n" },
	{ .rules = "table inet d {\n flags dormant\n chain i {\n type filter hook input priority "
		   "0;\n"
		   " policy drop;\n }\n}\n" },
	/* Packets that are not tracked. */
	{ .rules = AT("inet", "prerouting", "-300", "iifname \"lo\" notrack")
		  AT("inet", "output", "-300", "oifname \"lo\" notrack") IN(
			  "drop",
			  "ct state established,related,untracked accept\nct state invalid drop"),
	  .before = true },
	{ .rules = AT("inet", "output", "-300", "oifname \"lo\" notrack") IN(
		  "drop", "ct state established,related,untracked accept\nct state invalid drop") },
	{ .rules = AT("inet", "prerouting", "-300", "iifname \"lo\" notrack") IN(
		  "drop", "ct state established,related,untracked accept\nct state invalid drop") },
	{ .rules = AT("inet", "prerouting", "-300", "tcp dport 5051 notrack")
		  IN("drop", "ct state established,untracked accept") },
	{ .rules = AT("inet", "output", "-300", "notrack") IN("drop", "ct state invalid accept") },
	{ .rules = AT("inet", "output", "0", "notrack") IN("accept", "ct state untracked drop") },
	{ .rules = AT("inet", "output", "-300", "limit rate 1/hour notrack")
		  IN("drop", "ct state { untracked, invalid, established } accept") },
	{ .rules = AT("inet", "output", "-300", "ct zone set 5") IN("drop", STATEFUL) },
	/* What firewalld, ufw, kubelet and the examples of nftables load, shortened. */
	{ .rules = "table inet firewalld {\n chain filter_PREROUTING {\n"
		   " type filter hook prerouting priority filter + 10; policy accept;\n"
		   " icmpv6 type { nd-router-advert, nd-neighbor-solicit } accept\n"
		   " meta nfproto ipv6 fib saddr . mark . iif oif missing drop\n }\n"
		   " chain filter_INPUT_ZONES {\n"
		   " reject with icmpx admin-prohibited\n }\n"
		   " chain filter_INPUT {\n type filter hook input priority filter + 10; policy "
		   "accept;\n"
		   " ct state { established, related } accept\n ct status dnat accept\n"
		   " iifname \"lo\" accept\n ct state invalid drop\n jump filter_INPUT_ZONES\n"
		   " reject with icmpx admin-prohibited\n }\n}\n" },
	{ .rules =
		  "table inet filter {\n chain input {\n type filter hook input priority 0; policy "
		  "drop;\n"
		  " ct state vmap { established : accept, related : accept, invalid : drop }\n"
		  " iifname lo accept\n"
		  " ip protocol icmp icmp type echo-request limit rate 4/second accept\n"
		  " tcp dport { 22, 5051 } ct state new accept\n }\n"
		  " chain output {\n type filter hook output priority 0; policy accept;\n }\n}\n" },
	{ .iptables =
		  "-N before-logging\n-N before\n-N not-local\n"
		  "-A before-logging -m limit --limit 3/min -j LOG --log-prefix audit\n"
		  "-A before -i lo -j ACCEPT\n"
		  "-A before -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n"
		  "-A before -m conntrack --ctstate INVALID -j DROP\n"
		  "-A before -j not-local\n-A not-local -m addrtype --dst-type LOCAL -j RETURN\n"
		  "-A not-local -j DROP\n-A INPUT -j before-logging\n-A INPUT -j before\n"
		  "-P INPUT DROP\n" },
	{ .iptables = "-N KUBE-FIREWALL\n-A INPUT -j KUBE-FIREWALL\n-A OUTPUT -j KUBE-FIREWALL\n"
		      "-A KUBE-FIREWALL -m mark --mark 0x8000/0x8000 -j DROP\n" },
	/* What iptables-nft writes. */
	{ .iptables = "-A INPUT -i lo -j ACCEPT\n-P INPUT DROP\n"
		      "-A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT\n" },
	{ .iptables = "-A INPUT -p tcp --sport 5051 -j DROP\n" },
	{ .iptables = "-P INPUT DROP\n-A INPUT -m comment --comment hi -p tcp --sport 5051 -j "
		      "ACCEPT\n" },
	{ .iptables = "-A INPUT -p tcp --sport 5051 -j REJECT\n" },
	{ .iptables = "-A OUTPUT -o lo -p tcp --sport 5051 -j LOG\n-P OUTPUT DROP\n" },
	{ .iptables = "-A INPUT -m conntrack --ctstate INVALID -j DROP\n" },
	{ .iptables = "-t raw -A OUTPUT -o lo -j NOTRACK\n-A INPUT -p tcp --syn -j ACCEPT\n" },
	{ .iptables = "-N own\n-A own -p tcp ! --syn -j DROP\n-A INPUT -j own\n" },
	{ .iptables = "-t mangle -A PREROUTING -j MARK --set-mark 1\n-t mangle -P INPUT DROP\n" },
};

#endif
