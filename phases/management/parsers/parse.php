<?php // One line of base64 in, one digit out: 1 where PHP can parse the text.
while (($line = fgets(STDIN)) !== false) {
    try {
        token_get_all(base64_decode(trim($line)), TOKEN_PARSE);
        echo "1\n";
    } catch (ParseError $error) {
        echo "0\n";
    }
}
