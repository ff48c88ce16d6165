#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
#
# shellcheck disable=SC2006,SC2046,SC2086 # this is how guides write it
# Start nginx if it is down, and end keepalived if that fails, so that the virtual IP moves.
A=`ps -C nginx --no-header |wc -l`
if [ $A -eq 0 ];then
    /usr/local/nginx/sbin/nginx
    if [ `ps -C nginx --no-header |wc -l` -eq 0 ];then
        killall keepalived
    fi
fi
