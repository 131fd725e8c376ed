from rtools.commands.refs import command, main
