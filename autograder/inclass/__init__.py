"""在课堂上：投影（``crm present``）和手机投票（``crm live``）。"""
