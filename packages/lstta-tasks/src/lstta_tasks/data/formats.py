"""Which kinds of files are opened as clips: those that hold their own pictures and sound, and name no other file.

FFmpeg tells formats by their content, whatever a file is called. Some are lists of other files (playlists, HLS, DASH,
concat, numbered pictures), some are scripts or devices; a file from a stranger could be any of them, and opening one
would open what it names.
"""

from __future__ import annotations

FILMS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpegtsraw,mpeg,mpegvideo,flv,live_flv,ogg,asf,asf_o,rm,wtv,nut,"
    "mxf,gxf,lxf,dv,nsv,ivf,swf,gif,apng,viv,vivo,pva,ty,dhav,roq,smk,bink,yop,4xm,flic,nuv,mtv,avr,mv,rpl,cavsvideo,"
    "h264,hevc,h263,h261,vvc,av1,obu,m4v,mjpeg,mjpeg_2000,vc1,vc1test,dirac,dnxhd,yuv4mpegpipe,smjpeg"
)
SOUNDS = (
    "wav,w64,mp3,aac,ac3,eac3,ac4,flac,aiff,au,caf,amr,amrnb,amrwb,ape,tak,tta,wv,mpc,mpc8,dts,truehd,mlp,oma,voc,loas,"
    "sox,xwma,dsf,iff,adts,latm,gsm,qcp,shn,mmf"
)
PICTURES = (
    "png_pipe,jpeg_pipe,jpegls_pipe,j2k_pipe,jpegxl_pipe,bmp_pipe,gif_pipe,webp_pipe,tiff_pipe,ppm_pipe,pgm_pipe,"
    "pbm_pipe,pam_pipe,qoi_pipe,sgi_pipe,psd_pipe,exr_pipe,hdr_pipe"
)
OPTIONS = {"protocol_whitelist": "file", "format_whitelist": f"{FILMS},{SOUNDS},{PICTURES}"}
"""For opening: nothing but files, and no format that could name another."""
