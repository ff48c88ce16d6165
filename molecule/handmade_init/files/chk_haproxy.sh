#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
#
# shellcheck disable=SC2181 # this is how the guide writes it
# Start haproxy if it does not listen.
netstat -tupln |grep haproxy >>/dev/null
[ $? -eq 0 ]
if [ $? -eq 0 ];then
exit
else
service haproxy start
fi
