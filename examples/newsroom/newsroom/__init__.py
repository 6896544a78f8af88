"""The project: settings, addresses and what the platform's app contract says."""

import pymysql

pymysql.install_as_MySQLdb()  # Django's MySQL backend speaks through it; nothing to compile
